"""Slack as a channel: replies to earlier messages, and edits of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slack_alert.core.content.pieces import Blocks, Piece, Upload
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.structs import replace
from tests.contract.slack_rig import TOKEN, delivery, sent
from tests.fakes.slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def following(piece: Piece | str, manner: DeliveryMode, follows: str | None) -> Delivery:
    later = delivery(piece, id=2)
    return replace(later, message=replace(later.message, manner=manner, root="first"), follows=follows)


def first(slack: FakeSlack) -> str:
    (outcome,) = sent(slack, delivery("91 %"))
    assert outcome.receipt is not None
    return outcome.receipt


def test_a_reply_stands_in_the_thread_of_what_it_follows(slack: FakeSlack) -> None:
    root = first(slack)
    sent(slack, following("92 %", DeliveryMode.REPLY, root))

    message, reply = slack.messages
    assert (reply.text, reply.thread_ts) == ("92 %", message.ts)


def test_an_edit_changes_the_message_and_keeps_its_receipt(slack: FakeSlack) -> None:
    root = first(slack)
    (outcome,) = sent(slack, following("92 %", DeliveryMode.EDIT, root))

    assert [message.text for message in slack.messages] == ["92 %"]
    assert outcome.receipt == root


@pytest.mark.parametrize(
    ("manner", "method", "code"),
    [
        (DeliveryMode.EDIT, "chat.update", "message_not_found"),
        (DeliveryMode.EDIT, "chat.update", "edit_window_closed"),
        (DeliveryMode.EDIT, "chat.update", "cant_update_message"),
        (DeliveryMode.REPLY, "chat.postMessage", "thread_not_found"),
    ],
)
def test_what_can_be_followed_no_more_is_said_anew(
    slack: FakeSlack, manner: DeliveryMode, method: str, code: str
) -> None:
    root = first(slack)
    slack.fault("error", method=method, code=code, times=1)
    (outcome,) = sent(slack, following("92 %", manner, root))

    _, anew = slack.messages
    assert (anew.text, anew.thread_ts) == ("92 %", None)
    assert outcome.receipt == f"C0OPS/{anew.ts}"


@pytest.mark.parametrize("manner", [DeliveryMode.REPLY, DeliveryMode.EDIT])
def test_what_follows_nothing_is_a_message_of_its_own(slack: FakeSlack, manner: DeliveryMode) -> None:
    sent(slack, following("92 %", manner, None))

    assert [(message.text, message.thread_ts) for message in slack.messages] == [("92 %", None)]


BLOCKS = Blocks({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*93 %*"}}]})


@pytest.mark.parametrize("piece", [BLOCKS, Blocks({"text": "*93 %*"}), Upload("disk.txt", b"93 %")])
def test_blocks_and_files_are_replied_with_in_the_thread(slack: FakeSlack, piece: Piece) -> None:
    root = first(slack)
    sent(slack, following(piece, DeliveryMode.REPLY, root))

    message, reply = slack.messages
    assert reply.thread_ts == message.ts


@pytest.mark.parametrize(("piece", "has_blocks"), [(BLOCKS, True), (Blocks({"text": "*93 %*"}), False)])
def test_an_edit_may_be_of_blocks(slack: FakeSlack, piece: Blocks, has_blocks: bool) -> None:
    root = first(slack)
    (outcome,) = sent(slack, following(piece, DeliveryMode.EDIT, root))

    (message,) = slack.messages
    assert (message.text, bool(message.blocks), outcome.receipt) == ("*93 %*", has_blocks, root)


def test_blocks_that_slack_refuses_in_an_edit_are_said_as_text(slack: FakeSlack) -> None:
    root = first(slack)
    slack.fault("error", method="chat.update", code="invalid_blocks", times=1)
    sent(slack, following(BLOCKS, DeliveryMode.EDIT, root))

    assert [(message.text, message.blocks) for message in slack.messages] == [("*93 %*", None)]


def test_a_file_cannot_be_edited_so_it_goes_to_the_thread(slack: FakeSlack) -> None:
    root = first(slack)
    sent(slack, following(Upload("disk.txt", b"93 %"), DeliveryMode.EDIT, root))

    message, reply = slack.messages
    assert reply.thread_ts == message.ts


def test_nothing_follows_a_file(slack: FakeSlack) -> None:
    sent(slack, following("92 %", DeliveryMode.REPLY, "C0OPS/F00001"))

    assert [(message.text, message.thread_ts) for message in slack.messages] == [("92 %", None)]


def test_what_follows_a_message_that_is_gone_follows_the_one_that_was_said_instead(slack: FakeSlack) -> None:
    root = first(slack)
    slack.fault("error", method="chat.postMessage", code="thread_not_found", times=1)
    sent(slack, following("92 %", DeliveryMode.REPLY, root), following("93 %", DeliveryMode.REPLY, root))

    _, anew, reply = slack.messages
    assert (anew.thread_ts, reply.thread_ts) == (None, anew.ts)


def answering(text: str, thread: str) -> Delivery:
    asked = delivery(text, to="C0OPS")
    return replace(asked, message=replace(asked.message, thread=thread))


def test_an_answer_stands_in_the_thread_of_the_question(slack: FakeSlack) -> None:
    """The question is known by its receipt, as a door gives it, or by its `ts` alone."""
    question = slack.say("#ops", "!deploy shop", user="U0ANN")
    sent(slack, answering("queued", f"C0OPS/{question.ts}"), answering("done", question.ts))

    assert [(each.text, each.thread_ts) for each in slack.messages[1:]] == [
        ("queued", question.ts),
        ("done", question.ts),
    ]


def test_a_thread_that_is_no_message_of_slack_is_none(slack: FakeSlack) -> None:
    sent(slack, answering("done", "terminal/7f3a"))

    assert [each.thread_ts for each in slack.messages] == [None]


@pytest.mark.parametrize("code", ["thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"])
def test_an_answer_whose_question_is_gone_is_told_all_the_same(slack: FakeSlack, code: str) -> None:
    question = slack.say("#ops", "!deploy shop", user="U0ANN")
    slack.fault("error", method="chat.postMessage", code=code, times=1)
    (outcome,) = sent(slack, answering("done", f"C0OPS/{question.ts}"))

    assert [(each.text, each.thread_ts) for each in slack.messages[1:]] == [("done", None)]
    assert outcome.receipt is not None


def test_another_refusal_in_a_thread_is_not_taken_for_its_end(slack: FakeSlack) -> None:
    question = slack.say("#ops", "!deploy shop", user="U0ANN")
    slack.fault("error", method="chat.postMessage", code="is_archived", times=1)
    (outcome,) = sent(slack, answering("done", f"C0OPS/{question.ts}"))

    assert (len(slack.messages), outcome.reason) == (1, "is_archived")
