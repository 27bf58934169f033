"""Slack as a channel: answers at the address of an interaction, where a conversation is closed, or to one person."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from slack_alert.core.content.pieces import Blocks, Piece, Upload
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.retry import SendStatus
from slack_alert.core.structs import replace
from tests.contract.slack_rig import TOKEN, delivery, sent
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_rules import Json

#: The app is not in this private channel.
CLOSED = "G0SECRET"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


class Response:
    """An address for answers."""

    def __init__(self, slack: FakeSlack, channel: str) -> None:
        path = slack.workspace.open_response_url(channel)
        self.url = slack.url.replace("/api/", f"/commands/{path}")
        self._known = slack.workspace.response_urls[path]

    @property
    def answers(self) -> list[Json]:
        return self._known.answers


def answer(piece: Piece | str, url: str, *, to: str = CLOSED, private: bool = False) -> Delivery:
    one = delivery(piece, to=to)
    return replace(one, message=replace(one.message, response_url=url, is_private=private))


def edit(follows: str | None, url: str = "") -> Delivery:
    one = answer("done", url)
    return replace(one, message=replace(one.message, key="edit", manner=DeliveryMode.EDIT), follows=follows)


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("for <@ann>: 91 %", "for <@U0ANN>: 91 %"),
        (Blocks({"text": "91 %", "blocks": [{"type": "divider"}]}), "91 %"),
        (Upload("disk.txt", b"91 %", comment="91 %"), "disk.txt (4 B)\n91 %"),
    ],
)
def test_an_answer_in_a_closed_conversation_goes_to_its_address(
    slack: FakeSlack, piece: Piece | str, text: str
) -> None:
    response = Response(slack, CLOSED)
    (outcome,) = sent(slack, answer(piece, response.url))

    assert response.answers == [{"text": text, "response_type": "in_channel", "replace_original": False}]
    assert (outcome.status, slack.messages) == (SendStatus.SENT, [])


def test_where_the_conversation_is_open_the_address_is_not_used(slack: FakeSlack) -> None:
    response = Response(slack, "C0OPS")
    sent(slack, answer("91 %", response.url, to="C0OPS"))

    assert ([message.text for message in slack.messages], response.answers) == (["91 %"], [])


def test_of_a_run_only_start_and_end_are_told_there(slack: FakeSlack) -> None:
    response = Response(slack, CLOSED)
    (start,) = sent(slack, answer("running", response.url))
    outcomes = sent(slack, edit(start.receipt), edit(start.receipt), edit(start.receipt, response.url))

    assert [each["text"] for each in response.answers] == ["running", "done"]
    assert [outcome.status for outcome in outcomes] == [SendStatus.SENT] * 3


def test_a_denial_is_shown_to_the_person_alone(slack: FakeSlack) -> None:
    response = Response(slack, "C0OPS")
    sent(slack, answer("You may not deploy.", response.url, to="C0OPS", private=True))

    assert [(each["text"], each["response_type"]) for each in response.answers] == [
        ("You may not deploy.", "ephemeral")
    ]
    assert slack.messages == []


def test_where_the_address_takes_nothing_more_a_denial_goes_into_the_thread(slack: FakeSlack) -> None:
    response = Response(slack, "C0OPS")
    root = slack.say("#ops", "x", user="U0ANN")
    for _ in range(6):
        denial = answer("You may not deploy.", response.url, to="C0OPS", private=True)
        sent(slack, replace(denial, message=replace(denial.message, thread=f"C0OPS/{root.ts}")))

    assert len(response.answers) == 5
    assert [(message.text, message.thread_ts) for message in slack.messages[1:]] == [("You may not deploy.", root.ts)]


def test_where_nothing_is_open_the_conversation_is_named(slack: FakeSlack) -> None:
    (outcome,) = sent(slack, answer("91 %", slack.url.replace("/api/", "/commands/T0/none")))

    assert (outcome.status, outcome.reason) == (SendStatus.DESTINATION, "channel_not_found")


@pytest.mark.parametrize(
    ("fault", "status"),
    [("rate_limited", SendStatus.WAIT), ("html", SendStatus.RETRY), ("reset_before", SendStatus.RETRY)],
)
def test_what_passes_is_tried_again(slack: FakeSlack, fault: str, status: SendStatus) -> None:
    response = Response(slack, CLOSED)
    slack.fault(fault, method="response_url", times=1)  # type: ignore[arg-type]
    (failed, again) = sent(slack, answer("91 %", response.url), answer("91 %", response.url))

    assert (failed.status, again.status) == (status, SendStatus.SENT)


@pytest.mark.parametrize("fault", [None, "html", "reset_before", "status"])
def test_the_address_is_in_no_log_no_outcome_and_no_repr_and_gets_no_token(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture, fault: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    response = Response(slack, CLOSED)
    if fault is not None:
        slack.fault(fault, method="response_url")  # type: ignore[arg-type]
    one = answer("91 %", response.url)
    outcomes = sent(slack, one)

    path = response.url.partition("/commands/")[2]
    own = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("slack_alert"))
    assert path not in f"{own} {outcomes} {one!r}"
    assert all(TOKEN not in str(each.headers) for each in slack.requests if each.method == "response_url")
