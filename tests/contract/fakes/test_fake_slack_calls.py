"""The fake Slack checks who calls and how, keeps the rate, and never crashes unnoticed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_callers import AUTHORIZED, JSON, METADATA, client, error_of, raw
from tests.fakes.slack_methods import METHODS, call
from tests.fakes.slack_rules import SlackError
from tests.fakes.slack_workspace import ALL_SCOPES, Posted, Workspace


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def test_identity_and_scopes_are_told(slack: FakeSlack) -> None:
    answer = client(slack).auth_test()

    assert answer["user_id"] == "U0BOT"
    assert set(str(answer.headers["x-oauth-scopes"]).split(",")) == ALL_SCOPES


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"Content-Type": "application/json"}, "{}", "not_authed"),
        ({"Authorization": "Bearer xoxb-other"}, "", "invalid_auth"),
        ({"Authorization": "Basic xoxb-test"}, "", "invalid_auth"),
        ({"Authorization": "Bearer xapp-1"}, "", "not_allowed_token_type"),
        ({"Content-Type": "application/json"}, '{"token": "xoxb-test"}', "invalid_auth"),
        ({**AUTHORIZED, "Content-Type": "application/xml"}, "<a/>", "invalid_post_type"),
        (AUTHORIZED, "text=x", "missing_post_type"),
        ({**AUTHORIZED, "Content-Type": "application/json; charset=utf-7"}, "{}", "invalid_charset"),
        (JSON, '{"text": ', "invalid_json"),
        (JSON, "[]", "json_not_object"),
    ],
)
def test_requests_slack_cannot_read_are_refused(
    slack: FakeSlack, headers: dict[str, str], body: str, error: str
) -> None:
    assert error_of(slack, "chat.postMessage", body=body, headers=headers) == error


def test_a_token_in_the_address_is_refused(slack: FakeSlack) -> None:
    assert error_of(slack, "chat.postMessage?token=xoxb-test&channel=ops&text=x", headers=AUTHORIZED) == "invalid_auth"


def test_forms_carry_structures_as_json(slack: FakeSlack) -> None:
    form = {**AUTHORIZED, "Content-Type": "application/x-www-form-urlencoded"}

    raw(slack, "chat.postMessage", body=f"channel=ops&text=x&metadata={json.dumps(METADATA)}", headers=form)

    assert slack.messages[0].metadata == METADATA


def test_json_without_a_charset_is_warned_of(slack: FakeSlack) -> None:
    headers = {**AUTHORIZED, "Content-Type": "application/json"}

    body = raw(slack, "chat.postMessage", body='{"channel": "ops", "text": "x"}', headers=headers)[2]

    assert json.loads(body)["warning"] == "missing_charset"


def test_posting_by_get_is_not_allowed(slack: FakeSlack) -> None:
    status, _, _ = raw(slack, "chat.postMessage?channel=ops&text=x", headers=AUTHORIZED, verb="GET")

    assert (status, slack.messages) == (405, [])


def test_unknown_method_is_named(slack: FakeSlack) -> None:
    assert error_of(slack, "chat.shout", headers=AUTHORIZED) == "unknown_method"


def test_connections_are_kept_alive(slack: FakeSlack) -> None:
    async def post_twenty() -> None:
        async with aiohttp.ClientSession() as session:
            web = AsyncWebClient("xoxb-test", base_url=slack.url, session=session, retry_handlers=[])
            for number in range(20):
                await web.chat_postMessage(channel="C0OPS", text=str(number))

    asyncio.run(post_twenty())

    assert [message.text for message in slack.messages] == [str(number) for number in range(20)]
    assert slack.connections == 1


def test_each_channel_has_a_bucket_of_its_own() -> None:
    now = [1_700_000_000.0]
    with FakeSlack(rate=1, burst=2, now=lambda: now[0]) as slack:
        statuses = [_status(slack, "C0OPS"), _status(slack, "C0OPS"), _status(slack, "ops"), _status(slack, "C0TEST")]
        now[0] += 1
        statuses += [_status(slack, "C0OPS"), _status(slack, "C0OPS")]

    assert statuses == [200, 200, 429, 200, 200, 429]
    assert len(slack.messages) == 4


def test_too_fast_is_429_with_retry_after() -> None:
    with FakeSlack(rate=0.1, now=lambda: 1_700_000_000.0) as slack:
        _status(slack, "C0OPS")
        status, headers, body = _post(slack, "C0OPS")

    assert (status, headers["retry-after"], json.loads(body)) == (429, "10", {"ok": False, "error": "ratelimited"})


def _status(slack: FakeSlack, channel: str) -> int:
    return _post(slack, channel)[0]


def _post(slack: FakeSlack, channel: str) -> tuple[int, dict[str, str], bytes]:
    return raw(slack, "chat.postMessage", body=json.dumps({"channel": channel, "text": "x"}), headers=JSON)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("C0OPS1.,=", max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(sorted(set().union(*(m.arguments for m in METHODS.values())))), ANYTHING))
def test_whatever_is_asked_gets_an_answer_or_an_error_of_slack(arguments: dict[str, Any]) -> None:
    for method in METHODS.values():
        workspace = Workspace()
        workspace.post(Posted("C0OPS", "x", "1.000000", 1.0))
        try:
            answer = call(workspace, method, {"channel": "C0OPS", "ts": "1.000000", **arguments})
        except SlackError as error:
            answer = error.answer()

        assert isinstance(answer["ok"], bool)
        json.dumps(answer)


def test_a_crash_of_the_fake_is_not_taken_for_one_of_slack() -> None:
    def broken() -> float:
        raise ZeroDivisionError

    slack = FakeSlack(now=broken)
    with pytest.raises(ZeroDivisionError), slack:
        raw(slack, "auth.test", headers=AUTHORIZED)


CODES = json.loads((Path(__file__).parents[2] / "fakes" / "slack_error_codes.json").read_text(encoding="utf-8"))


def test_reference_of_error_codes_names_its_origin() -> None:
    assert CODES["date"] == "2026-11-21"
    assert "slack-ruby/slack-api-ref" in CODES["origin"]


@pytest.mark.parametrize("method", sorted(set(CODES) - {"origin", "date"}))
def test_reference_lists_codes_of_methods_the_fake_has(method: str) -> None:
    assert method in METHODS
    assert {"invalid_auth", "missing_scope", "ratelimited", "fatal_error"} <= set(CODES[method])
    assert CODES[method] == sorted(set(CODES[method]))
