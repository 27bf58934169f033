"""The person who acknowledged an incident is shown with it."""

from __future__ import annotations

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.model.request import Acknowledge, Request
from slack_alert.core.model.run import QUIET
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import Rig, at, make_job, make_policy, said


def alerting(repeat: Repeat, *, has_buttons: bool = False) -> Rig:
    policy = replace(make_policy(max_alert=0, mutes=True), repeat_policy=RepeatPolicy(repeat=repeat, recovers=True))
    rig = Rig(make_job(policy=policy), has_buttons=has_buttons)
    rig.play("16 09:10", said("9 s"))
    return rig


def acknowledge(rig: Rig) -> list[tuple[DeliveryMode, str]]:
    batch = rig.engine.apply(Request.of(Acknowledge("db.lag", "ann"), at("16 09:12")))
    return [(message.manner, fallback(message.piece)) for message in batch.messages]


@pytest.mark.parametrize(
    ("repeat", "shown"),
    [
        (Repeat.UPDATE, [(DeliveryMode.EDIT, "9 s\ntaken care of by ann since 09:12")]),
        (Repeat.THREAD, [(DeliveryMode.REPLY, "taken care of by ann since 09:12")]),
        (Repeat.CHANGE, []),
        (Repeat.POST, []),
    ],
)
def test_it_stands_with_the_incident_where_nobody_is_called(
    repeat: Repeat, shown: list[tuple[DeliveryMode, str]]
) -> None:
    assert acknowledge(alerting(repeat)) == shown


def test_it_follows_the_incident_s_message() -> None:
    rig = alerting(Repeat.THREAD)
    acknowledge(rig)

    root, shown = rig.recorder.messages
    assert (shown.root, shown.to) == (root.key, root.to)


@pytest.mark.parametrize("name", ["db.lag", "db.gone"])
def test_where_no_incident_goes_on_nothing_is_shown(name: str) -> None:
    rig = alerting(Repeat.THREAD)
    rig.play("16 09:20", QUIET)

    assert rig.engine.apply(Request.of(Acknowledge(name, "ann"), at("16 09:21"))).messages == []


@pytest.mark.parametrize("repeat", list(Repeat))
def test_with_buttons_the_message_itself_says_so_and_loses_the_button(repeat: Repeat) -> None:
    rig = alerting(repeat, has_buttons=True)
    shown = acknowledge(rig)

    alert, edited = rig.recorder.messages
    assert shown == [(DeliveryMode.EDIT, "9 s\ntaken care of by ann since 09:12")]
    assert edited.root == alert.key
    assert [button.action for button in alert.buttons] == ["ack", "mute", "run", "why"]
    assert edited.buttons == alert.buttons[1:]


def test_with_buttons_what_is_no_single_text_gets_a_reply() -> None:
    rig = Rig(make_job(), has_buttons=True)
    rig.play("16 09:10", said("9 s", "10 s"))

    assert acknowledge(rig) == [(DeliveryMode.REPLY, "taken care of by ann since 09:12")]


def test_the_edit_keeps_the_notice_of_a_pause() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1)), has_buttons=True)
    rig.play("16 09:10", said("9 s"))

    ((_, text),) = acknowledge(rig)
    assert text == f"{rig.texts[0]}\ntaken care of by ann since 09:12"
    assert "paused" in text
