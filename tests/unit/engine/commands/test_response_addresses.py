"""Which answers carry the address at which a person is answered where the conversation is closed to us."""

from __future__ import annotations

from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Identity, ReplyTo
from slack_alert.core.model.message import Message
from tests.fakes.chat_rig import OPS, ChatRig, command

URL = "https://hooks.slack.com/commands/T0/1/abc"


def ask(rig: ChatRig, text: str) -> None:
    by = Identity("slack", "T1", "ann", "ann")
    asked = AskedCommand(("1",), rig.clock.now(), by, ReplyTo(OPS, "", URL), text, "slack.socket", is_bare=True)
    rig.engine.handle(asked, lambda: None)


def told(rig: ChatRig) -> list[Message]:
    return [delivery.message for delivery in rig.store.deliveries()]


def test_start_and_end_carry_it_and_what_is_told_between_does_not() -> None:
    rig = ChatRig(command("deploy", queue="deploy"))
    rig.says("bob", "deploy")
    ask(rig, "deploy")
    rig.executor.end(1)
    rig.passes(seconds=5)
    rig.passes(seconds=5)
    rig.executor.end(2, value="shop is on prod")

    of_ann = [message for message in told(rig) if message.origin.run == 2]
    assert len(of_ann) > 2
    assert [bool(message.response_url) for message in of_ann] == [True, *[False] * (len(of_ann) - 2), True]
    assert not any(message.is_private for message in told(rig))


def test_of_a_long_value_as_much_carries_it_as_the_address_takes_besides_a_start() -> None:
    rig = ChatRig(command("deploy"))
    ask(rig, "deploy")
    rig.executor.end(1, value="x" * 30_000)

    assert len(told(rig)) > 4
    assert [bool(message.response_url) for message in told(rig)[:5]] == [True] * 4 + [False]


def test_a_denial_is_for_the_person_alone() -> None:
    rig = ChatRig(command("deploy"))
    rig.people.standings["ann"] = AccountStatus.GUEST
    ask(rig, "deploy")

    (denial,) = told(rig)
    assert (denial.is_private, denial.response_url) == (True, URL)
    assert "ann" in fallback(denial.piece)


def test_where_there_is_no_address_a_denial_goes_into_the_thread() -> None:
    rig = ChatRig(command("deploy"))
    rig.people.standings["ann"] = AccountStatus.GUEST
    rig.says("ann", "deploy")

    (denial,) = told(rig)
    assert (denial.is_private, denial.thread) == (False, "1.000000")


def test_an_address_is_in_no_repr() -> None:
    assert "abc" not in repr(ReplyTo(OPS, "", URL))
