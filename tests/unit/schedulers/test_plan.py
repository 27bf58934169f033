from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from slack_alert.core.schedule.intervals import Every
from slack_alert.core.schedule.triggers import parse_trigger
from slack_alert.core.units.local_time import TICK
from slack_alert.schedulers.base import PlanTrigger
from slack_alert.schedulers.plan import TAKING, PlannedJob, SlotPlan
from tests.fakes.engine_rig import BERLIN, at

NOON = at("16 12:00")
SECOND = timedelta(seconds=1)


def make_plan(**every: object) -> SlotPlan:
    trigger = parse_trigger(every, zone=BERLIN, name="db.lag")
    assert trigger is not None
    return SlotPlan([PlannedJob("db.lag", trigger, NOON, NOON)])


def every_minute() -> Every:
    return Every(60 * SECOND)


def test_slots_of_a_stall_are_handed_on_by_their_ends() -> None:
    plan = make_plan(seconds=1)

    assert plan.pop_due(NOON + SECOND) == [(["db.lag"], (NOON + SECOND,))]
    assert plan.pop_due(NOON + 3 * SECOND) == [(["db.lag"], (NOON + 2 * SECOND, NOON + 3 * SECOND))]
    assert plan.pop_due(NOON + 6 * SECOND + TICK) == [
        (["db.lag"], (NOON + 4 * SECOND, NOON + 5 * SECOND, NOON + 6 * SECOND))
    ]
    assert plan.next == NOON + 7 * SECOND


def test_nothing_comes_due_while_those_it_is_for_are_behind(caplog: pytest.LogCaptureFixture) -> None:
    behind = [False]
    trigger = PlanTrigger(make_plan(seconds=1), lambda: behind[0])
    assert trigger.get_next_fire_time(None, NOON) == NOON + SECOND

    behind[0] = True
    for number in (1, 2, 3):
        again = trigger.get_next_fire_time(NOON + SECOND, NOON + number * SECOND)
        assert again is not None
        assert NOON + number * SECOND < again < NOON + (number + 1) * SECOND
    assert trigger.due == []
    assert [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING] == [
        "more comes due than history can be written of; slots will be missed"
    ]

    behind[0] = False
    assert trigger.get_next_fire_time(NOON + SECOND, NOON + 4 * SECOND) == NOON + 5 * SECOND
    assert trigger.due == [(["db.lag"], (NOON + SECOND, NOON + 3 * SECOND, NOON + 4 * SECOND))]


def test_clock_that_leaps_ahead_by_decades_leaves_three_slots() -> None:
    later = NOON + timedelta(days=20 * 365)
    tenth = timedelta(seconds=0.1)
    plan = make_plan(seconds=0.1)

    assert plan.pop_due(later) == [(["db.lag"], (NOON + tenth, later - tenth, later))]


def test_trigger_that_ends_leaves_the_plan() -> None:
    plan = make_plan(seconds=1, end=(NOON + 3 * SECOND).isoformat())

    assert plan.pop_due(NOON + 9 * SECOND) == [(["db.lag"], (NOON + SECOND, NOON + 2 * SECOND))]
    assert plan.next is None


def test_grid_that_moved_on_meanwhile_is_due_by_its_new_start() -> None:
    anchor = [NOON]
    plan = SlotPlan([PlannedJob("db.lag", every_minute(), NOON, NOON, lambda: anchor[0])])

    anchor[0] = NOON + 30 * SECOND

    assert plan.pop_due(NOON + 60 * SECOND + TAKING) == []
    assert plan.next == NOON + 90 * SECOND + TAKING
    assert plan.pop_due(NOON + 90 * SECOND + TAKING) == [(["db.lag"], (NOON + 90 * SECOND,))]


def test_slot_of_a_grid_that_may_move_waits_until_what_moves_it_was_taken() -> None:
    plan = SlotPlan([PlannedJob("db.lag", every_minute(), NOON, NOON, lambda: NOON)])

    assert plan.pop_due(NOON + 60 * SECOND + TAKING - TICK) == []
    assert plan.pop_due(NOON + 60 * SECOND + TAKING) == [(["db.lag"], (NOON + 60 * SECOND,))]
