"""Slack as a channel: replies and edits of what was said before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from slack_alert.core.model import Delivery, Manner
from tests.contract.slack_rig import TOKEN, delivery, sent
from tests.fakes.slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def following(text: str, manner: Manner, follows: str | None) -> Delivery:
    later = delivery(text, id=2)
    return replace(later, message=replace(later.message, manner=manner, root="first"), follows=follows)


def first(slack: FakeSlack) -> str:
    (outcome,) = sent(slack, delivery("91 %"))
    assert outcome.receipt is not None
    return outcome.receipt


def test_a_reply_stands_in_the_thread_of_what_it_follows(slack: FakeSlack) -> None:
    root = first(slack)
    sent(slack, following("92 %", Manner.REPLY, root))

    message, reply = slack.messages
    assert (reply.text, reply.thread_ts) == ("92 %", message.ts)


def test_an_edit_changes_the_message_and_keeps_its_receipt(slack: FakeSlack) -> None:
    root = first(slack)
    (outcome,) = sent(slack, following("92 %", Manner.EDIT, root))

    assert [message.text for message in slack.messages] == ["92 %"]
    assert outcome.receipt == root


@pytest.mark.parametrize(
    ("manner", "method", "code"),
    [
        (Manner.EDIT, "chat.update", "message_not_found"),
        (Manner.EDIT, "chat.update", "edit_window_closed"),
        (Manner.EDIT, "chat.update", "cant_update_message"),
        (Manner.REPLY, "chat.postMessage", "thread_not_found"),
    ],
)
def test_what_can_be_followed_no_more_is_said_anew(slack: FakeSlack, manner: Manner, method: str, code: str) -> None:
    root = first(slack)
    slack.fault("error", method=method, code=code, times=1)
    (outcome,) = sent(slack, following("92 %", manner, root))

    _, anew = slack.messages
    assert (anew.text, anew.thread_ts) == ("92 %", None)
    assert outcome.receipt == f"C0OPS/{anew.ts}"


@pytest.mark.parametrize("manner", [Manner.REPLY, Manner.EDIT])
def test_what_follows_nothing_is_a_message_of_its_own(slack: FakeSlack, manner: Manner) -> None:
    sent(slack, following("92 %", manner, None))

    assert [(message.text, message.thread_ts) for message in slack.messages] == [("92 %", None)]
