"""The outcomes of a message for Slack's answers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.channels.slack.errors import TABLE, UNKNOWN_LIMIT, SlackResult, classify
from slack_alert.channels.slack.lookup import EVENT, matches
from slack_alert.core.retry import SendResult, SendStatus

DOCUMENTED = json.loads((Path(__file__).parents[3] / "fakes" / "slack_error_codes.json").read_text(encoding="utf-8"))
METHODS = sorted(name for name, codes in DOCUMENTED.items() if isinstance(codes, list))
FATES = {
    SendStatus.WAIT: "ratelimited rate_limited",
    SendStatus.AMBIGUOUS: "fatal_error internal_error service_unavailable request_timeout",
    SendStatus.DESTINATION: "channel_not_found not_in_channel is_archived restricted_action cannot_reply_to_message "
    "restricted_action_read_only_channel restricted_action_thread_only_channel messages_tab_disabled no_permission "
    "message_limit_exceeded user_not_found",
    SendStatus.PAYLOAD: "msg_too_long msg_blocks_too_long invalid_blocks invalid_blocks_format no_text "
    "too_many_attachments metadata_too_large invalid_metadata_format invalid_metadata_schema file_uploads_disabled "
    "invalid_arguments",
    SendStatus.CREDENTIALS: "invalid_auth not_authed token_revoked token_expired account_inactive missing_scope "
    "org_login_required ekm_access_denied access_denied accesslimited team_access_not_granted",
}


@pytest.mark.parametrize("method", METHODS)
def test_every_documented_code_has_a_class(method: str) -> None:
    assert set() == set(DOCUMENTED[method]) - set(TABLE)


def test_the_documented_codes_are_all_there() -> None:
    assert len(DOCUMENTED["chat.postMessage"]) >= 66


@pytest.mark.parametrize(("fate", "code"), [(fate, code) for fate, codes in FATES.items() for code in codes.split()])
def test_a_code_decides_the_fate(fate: SendStatus, code: str) -> None:
    assert fate is classify(SlackResult(200, code), to="#ops").status


@pytest.mark.parametrize("code", sorted(TABLE))
def test_a_hint_is_a_whole_sentence_with_nothing_left_open(code: str) -> None:
    hint = classify(SlackResult(200, code, needed="files:write", provided="chat:write"), to="#ops").hint

    assert code in ("ratelimited", "rate_limited") or hint
    assert "{" not in hint
    assert not hint.endswith(".")


def test_a_hint_names_the_conversation() -> None:
    assert (
        classify(SlackResult(200, "not_in_channel"), to="#ops").hint == "invite the app: /invite @slack-alert in #ops"
    )


def test_a_missing_scope_is_named_beside_those_granted() -> None:
    hint = classify(SlackResult(200, "missing_scope", needed="chat:write", provided="users:read"), to="#ops").hint

    assert "add the scope chat:write" in hint
    assert hint.endswith("the token has: users:read")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("1.5", 1.5),
        (None, 30),
        ("", 30),
        ("soon", 30),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 30),
        ("-5", 30),
        ("nan", 30),
        ("inf", 30),
        ("1e300", 86_400),
    ],
)
@pytest.mark.parametrize(
    "reply",
    [
        SlackResult(429),
        SlackResult(429, "ratelimited"),
        SlackResult(200, "ratelimited"),
        SlackResult(200, "rate_limited"),
    ],
)
def test_throttling_waits_as_long_as_it_was_told(reply: SlackResult, header: str | None, seconds: float) -> None:
    outcome = classify(SlackResult(reply.status, reply.code, retry_after=header))

    assert (SendStatus.WAIT, timedelta(seconds=seconds)) == (outcome.status, outcome.after)


@pytest.mark.parametrize(
    ("reply", "fate", "reason"),
    [
        (SlackResult(500), SendStatus.AMBIGUOUS, "HTTP 500"),
        (SlackResult(503), SendStatus.AMBIGUOUS, "HTTP 503"),
        (SlackResult(503, "something_new"), SendStatus.AMBIGUOUS, "something_new"),
        (SlackResult(500, "fatal_error"), SendStatus.AMBIGUOUS, "fatal_error"),
        (SlackResult(200), SendStatus.AMBIGUOUS, "unreadable answer"),
        (SlackResult(302), SendStatus.AMBIGUOUS, "unreadable answer"),
        (SlackResult(403), SendStatus.RETRY, "HTTP 403"),
        (SlackResult(407), SendStatus.RETRY, "HTTP 407"),
        (SlackResult(401, "invalid_auth"), SendStatus.CREDENTIALS, "invalid_auth"),
        (SlackResult(404, "channel_not_found"), SendStatus.DESTINATION, "channel_not_found"),
    ],
)
def test_an_answer_without_a_known_code_is_judged_by_its_status(
    reply: SlackResult, fate: SendStatus, reason: str
) -> None:
    outcome = classify(reply)

    assert (fate, reason, None) == (outcome.status, outcome.reason, outcome.limit)


def test_an_unknown_code_is_final_after_a_few_attempts() -> None:
    outcome = classify(SlackResult(200, "brand_new_code"))

    assert (outcome.status, outcome.reason, outcome.limit) == (SendStatus.AMBIGUOUS, "brand_new_code", UNKNOWN_LIMIT)
    assert "brand_new_code" in outcome.hint


@given(st.integers(100, 599), st.text(max_size=120), st.none() | st.text(max_size=40))
def test_no_answer_is_beyond_judgement(status: int, code: str, header: str | None) -> None:
    outcome = classify(SlackResult(status, code, retry_after=header), to="#ops")

    assert isinstance(outcome, SendResult)
    assert SendStatus.SENT is not outcome.status
    assert outcome.reason


def test_a_file_is_recognized_by_its_id_and_a_message_by_its_mark() -> None:
    page: list[dict[str, object]] = [
        {"ts": "3.0", "files": [{"id": "F1"}]},
        {"ts": "2.0", "metadata": {"event_type": EVENT, "event_payload": {"id": "k2"}}},
        {"ts": "1.0", "metadata": {"event_type": "another_app", "event_payload": {"id": "k3"}}},
        {"ts": "0.5", "text": "a person", "files": None},
    ]

    found = dict(matches(page, {"k1": 1, "k2": 2, "k3": 3}, {"F1": "k1"}, "C0OPS"))

    assert found == {1: "C0OPS/3.0", 2: "C0OPS/2.0"}
