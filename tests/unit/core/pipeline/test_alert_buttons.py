"""Which messages about a job have buttons, and which lines these ask for."""

from __future__ import annotations

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.run import QUIET, Result
from slack_alert.core.pipeline.alert_buttons import alert_buttons
from slack_alert.core.policy.incidents import Escalation, Repeat, RepeatPolicy
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import MINUTE, Rig, failed, make_job, make_policy, make_rule, said

ALERT, ERROR, NONE = ["ack", "mute", "run", "why"], ["mute", "run", "why"], list[str]()


def actions(message: Message) -> list[str]:
    return [button.action for button in message.buttons]


def played(repeat: Repeat, *results: Result, has_buttons: bool = True) -> list[list[str]]:
    policy = replace(make_policy(max_alert=0, mutes=True), repeat_policy=RepeatPolicy(repeat=repeat, recovers=True))
    rig = Rig(make_job(policy=policy), has_buttons=has_buttons)
    for minute, result in enumerate(results):
        rig.play(f"16 09:{minute}0", result)
    return [actions(message) for message in rig.recorder.messages]


def test_buttons_ask_for_what_people_could_type() -> None:
    lines = [f"{each.label}: {each.action} {each.about} {each.rest}".rstrip() for each in alert_buttons(make_job())]

    assert lines == [
        "Acknowledge: ack db.lag", "Mute 1 h: mute db.lag for 1h", "Run again: run db.lag", "Why: why db.lag",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("repeat", "shown"),
    [
        (Repeat.POST, [ALERT, ALERT, NONE]),
        (Repeat.CHANGE, [ALERT, ALERT, NONE]),
        (Repeat.THREAD, [ALERT, NONE, NONE]),
        (Repeat.UPDATE, [ALERT, ALERT, NONE]),
    ],
)
def test_an_alert_has_them_its_replies_and_its_recovery_have_none(repeat: Repeat, shown: list[list[str]]) -> None:
    assert played(repeat, said("9 s"), said("10 s"), QUIET) == shown


def test_an_error_card_has_nothing_to_acknowledge() -> None:
    assert played(Repeat.POST, failed()) == [ERROR]


def test_of_an_alert_in_several_messages_the_first_has_them() -> None:
    assert played(Repeat.POST, said("9 s", "10 s")) == [ALERT, NONE]


@pytest.mark.parametrize("repeat", list(Repeat))
def test_without_a_door_that_takes_what_is_pressed_no_message_has_them(repeat: Repeat) -> None:
    assert not any(played(repeat, said("9 s"), said("10 s"), failed(), QUIET, has_buttons=False))


def test_an_escalation_has_them_too() -> None:
    escalation = Escalation(Address("slack", "@ann"), MINUTE)
    policy = replace(make_policy(max_alert=0), repeat_policy=RepeatPolicy(escalation=escalation))
    rig = Rig(make_job(policy=policy), has_buttons=True)
    rig.play("16 09:10", said("9 s"))
    rig.play("16 09:20", said("9 s"))

    assert [(message.to.conversation, actions(message)) for message in rig.recorder.messages[1:]] == [
        ("#ops", ALERT), ("@ann", ALERT),
    ]  # fmt: skip


def test_a_rule_has_them_and_a_program_that_only_runs_itself_has_none() -> None:
    program = replace(make_job(), trigger=Never())

    assert (len(alert_buttons(make_rule())), alert_buttons(program)) == (4, ())
