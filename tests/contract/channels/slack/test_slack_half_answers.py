"""Slack as a channel: an incomplete answer is an error, never proof that a message is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from _pytest.mark import ParameterSet

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.content.pieces import Upload
from slack_alert.core.errors import NotNow
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import replace
from tests.contract.slack_rig import TOKEN, calls, delivery, sent, using
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_halves import HALVES, WHOLES


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


@pytest.fixture
def slack(running: FakeSlack) -> Iterator[FakeSlack]:
    yield running
    running.clear_faults()


def found(slack: FakeSlack, method: str, body: str, *, follows: str | None = None) -> Mapping[int, str] | None:
    """Send a message whose answer is lost, look it up, and return the result of the given answer."""
    one = delivery("x")
    if follows is not None:
        message = replace(one.message, manner=DeliveryMode.REPLY, root="first")
        one = replace(one, message=message, follows=follows)

    async def act(channel: SlackChannel) -> Mapping[int, str] | None:
        slack.fault("reset_after", method="chat.postMessage", times=1)
        await channel.send(one, None)
        slack.fault("json", method=method, status=200, body=body)
        return await channel.lookup([one], "C0OPS/1.000000")

    return using(slack, act)


def every_other(first: int) -> list[ParameterSet]:
    """Return all of them; a usual run has those of one half here, and those of the other in the other place."""
    return [
        pytest.param(body, id=name, marks=() if number % 2 == first else pytest.mark.thorough)
        for number, (name, body) in enumerate(HALVES.items())
    ]


@pytest.mark.parametrize("body", every_other(0))
def test_half_an_answer_of_a_conversation_says_nothing(slack: FakeSlack, body: str) -> None:
    with pytest.raises(NotNow):
        found(slack, "conversations.history", body)


@pytest.mark.parametrize("body", every_other(1))
def test_half_an_answer_of_a_thread_says_nothing(slack: FakeSlack, body: str) -> None:
    (root,) = sent(slack, delivery("91 %", id=9))

    with pytest.raises(NotNow):
        found(slack, "conversations.replies", body, follows=root.receipt)


@pytest.mark.parametrize("body", WHOLES.values(), ids=WHOLES)
def test_a_whole_one_says_that_it_is_not_there(slack: FakeSlack, body: str) -> None:
    assert found(slack, "conversations.history", body) == {}


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "cut", "reset_after", "reset_before"])
def test_a_broken_one_says_nothing(slack: FakeSlack, kind: str) -> None:
    slack.fault(kind, method="conversations.history")  # type: ignore[arg-type]

    with pytest.raises(NotNow):
        found(slack, "conversations.history", "")


def test_a_second_page_that_is_half_says_nothing_of_both(slack: FakeSlack) -> None:
    for number in range(250):
        slack.say("C0OPS", f"chatter {number}", user="U0ANN")
    slack.fault("json", method="conversations.history", status=200, body='{"ok": true}', skip=1)

    with pytest.raises(NotNow):
        using(slack, lambda channel: channel.lookup([delivery("never sent")], None))


def test_a_search_that_slack_asks_to_wait_with_goes_on_where_it_was(slack: FakeSlack) -> None:
    one = delivery("said long before")
    sent(slack, one)
    for number in range(450):
        slack.say("C0OPS", f"chatter {number}", user="U0ANN")
    before = len(calls(slack, "conversations.history"))
    slack.fault("rate_limited", method="conversations.history", skip=2, times=1, retry_after=7)

    async def act(channel: SlackChannel) -> Mapping[int, str] | None:
        with pytest.raises(NotNow) as waits:
            await channel.lookup([one], "C0OPS/1.000000")
        assert waits.value.after == timedelta(seconds=7)
        return await channel.lookup([one], "C0OPS/1.000000")

    assert list(using(slack, act) or ()) == [1]
    asked = [call.get("cursor") for call in calls(slack, "conversations.history")[before:]]
    assert len(asked) == 4
    assert asked[2] == asked[3] != None  # noqa: E711 - the page it was to wait with


NESTED = '{"ok":' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    "body", [NESTED, '{"ok": "true", "ts": "1.1", "channel": "C0OPS"}', '{"ok": 1}', '{"ok": [1]}', "[[]]", "7"]
)
def test_half_an_answer_to_a_post_leaves_it_in_doubt(slack: FakeSlack, body: str) -> None:
    slack.fault("json", method="chat.postMessage", status=200, body=body)

    (outcome,) = sent(slack, delivery("x"))

    assert (outcome.status, outcome.limit) == (SendStatus.AMBIGUOUS, None)


LISTINGS: dict[str, dict[str, object]] = {
    "no channels": {},
    "channels null": {"channels": None},
    "channels as an object": {"channels": {}},
    "a channel null": {"channels": [None]},
    "a channel without an id": {"channels": [{"name": "ops"}]},
    "an id of another type": {"channels": [{"name": "ops", "id": 7}]},
    "a name of another type": {"channels": [{"name": ["ops"], "id": "C0OPS"}]},
    "response metadata as a text": {"channels": [], "response_metadata": "x"},
    "a cursor of another type": {"channels": [], "response_metadata": {"next_cursor": 7}},
    "the same cursor again": {"channels": [], "response_metadata": {"next_cursor": "dGVhbQ=="}},
}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_half_a_listing_of_channels_says_of_none_that_it_does_not_exist(
    slack: FakeSlack, listing: dict[str, object]
) -> None:
    slack.fault("json", method="conversations.list", status=200, body=json.dumps({"ok": True, **listing}))

    async def act(channel: SlackChannel) -> SendResult:
        outcome = await channel.send(delivery(Upload("a.txt", b"x")), None)
        with pytest.raises(NotNow):
            await channel.lookup([delivery("x")], None)
        return outcome

    assert using(slack, act).status is SendStatus.RETRY


PEOPLE: dict[str, dict[str, object]] = {
    "no members": {},
    "members null": {"members": None},
    "a member null": {"members": [None]},
    "a member without a name": {"members": [{"id": "U0ANN"}]},
    "a member without an id": {"members": [{"name": "ann"}]},
    "a profile as a text": {"members": [{"name": "bob", "id": "U0BOB", "profile": "x"}]},
}


@pytest.mark.parametrize("listing", PEOPLE.values(), ids=PEOPLE)
def test_half_a_listing_of_people_says_of_nobody_that_he_is_not_there(
    slack: FakeSlack, listing: dict[str, object]
) -> None:
    slack.fault("json", method="users.list", status=200, body=json.dumps({"ok": True, **listing}))

    (outcome,) = sent(slack, delivery("x", to="@ann"))

    assert outcome.status is SendStatus.RETRY
