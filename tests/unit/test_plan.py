from __future__ import annotations

from datetime import timedelta

from slack_alert.core.triggers import parse_trigger
from slack_alert.core.wall import TICK
from slack_alert.schedulers.base import Plan, Planned
from tests.fakes.engine_rig import BERLIN, at

NOON = at("16 12:00")
SECOND = timedelta(seconds=1)


def make_plan(**every: object) -> Plan:
    trigger = parse_trigger(every, zone=BERLIN, name="db.lag")
    assert trigger is not None
    return Plan([Planned("db.lag", trigger, NOON, NOON)])


def test_slots_of_a_stall_are_handed_on_by_their_ends() -> None:
    plan = make_plan(seconds=1)

    assert plan.take(NOON + SECOND) == [(["db.lag"], (NOON + SECOND,))]
    assert plan.take(NOON + 3 * SECOND) == [(["db.lag"], (NOON + 2 * SECOND, NOON + 3 * SECOND))]
    assert plan.take(NOON + 6 * SECOND + TICK) == [
        (["db.lag"], (NOON + 4 * SECOND, NOON + 5 * SECOND, NOON + 6 * SECOND))
    ]
    assert plan.next == NOON + 7 * SECOND


def test_clock_that_leaps_ahead_by_decades_leaves_three_slots() -> None:
    later = NOON + timedelta(days=20 * 365)
    tenth = timedelta(seconds=0.1)
    plan = make_plan(seconds=0.1)

    assert plan.take(later) == [(["db.lag"], (NOON + tenth, later - tenth, later))]


def test_trigger_that_ends_leaves_the_plan() -> None:
    plan = make_plan(seconds=1, end=(NOON + 3 * SECOND).isoformat())

    assert plan.take(NOON + 9 * SECOND) == [(["db.lag"], (NOON + SECOND, NOON + 2 * SECOND))]
    assert plan.next is None
