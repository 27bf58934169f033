"""A later run is what was asked for, when it was asked for, whenever it begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.commands.signature import ValueKind
from slack_alert.core.model.asked import AccountStatus
from tests.fakes.chat_rig import START, ChatRig, command, text_parameter


@pytest.mark.parametrize(
    ("words", "minutes"),
    [("in 20m", 20), ("at 9:20", 20), ("at 2026-11-02 09:20", 20), ("at today 9:20", 20), ("at tomorrow 9:00", 1440)],
)
@pytest.mark.parametrize("is_restarted", [False, True], ids=["same life", "next life"])
def test_a_later_run_begins_at_its_time_however_that_was_written(
    words: str, minutes: int, *, is_restarted: bool
) -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", f"deploy {words}")
    rig.passes(minutes=minutes - 1)
    before = list(rig.executor.running)
    if is_restarted:
        rig.start()
    rig.passes(minutes=2)
    begun = list(rig.executor.running)
    rig.executor.end(1)

    assert (before, begun) == ([], [1])
    assert rig.verdicts == [(1, "quiet")]


def test_a_later_run_whose_time_passed_while_the_program_was_down_begins_at_the_start() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy at 2026-11-02 09:20")
    rig.clock.set(START + timedelta(hours=3))
    rig.start()

    assert rig.executor.running == [1]


def test_today_is_the_day_on_which_it_was_written() -> None:
    rig = ChatRig(command("report", parameters=(text_parameter("day", kind=ValueKind.DATE),)))
    rig.says("ann", "report today at tomorrow 9:00")
    rig.passes(hours=25)

    arguments = rig.executor.begun[0].arguments
    assert arguments is not None
    assert str(arguments.values["day"]) == "2026-11-02"


def test_a_time_that_passed_on_the_way_is_now() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy at 9:00", at=START - timedelta(minutes=1))

    assert rig.executor.running == [1]


def test_a_later_run_that_is_denied_at_its_time_says_so_in_its_own_message() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy in 20m")
    rig.people.standings["ann"] = AccountStatus.GUEST
    rig.passes(minutes=21)

    assert [answer.partition(":")[2].split()[0] for answer in rig.answers] == ["denied:"]


@pytest.mark.parametrize("is_restarted", [False, True], ids=["same life", "next life"])
def test_of_later_runs_that_are_overdue_the_one_due_first_begins_first(*, is_restarted: bool) -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy in 20m")
    rig.says("bob", "deploy in 5m")
    rig.clock.set(START + timedelta(hours=1))
    if is_restarted:
        rig.start()
    else:
        rig.passes(minutes=1)

    assert rig.executor.running == [2]
