"""Times in which the whole program stood still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.engine.monitoring.process_stalls import ProcessStalls
from slack_alert.engine.simulation.doubles import VirtualClock
from tests.fakes.engine_rig import at

NOTHING = timedelta()


class Machine:
    """A program whose time and CPU use the test sets."""

    def __init__(self) -> None:
        self.clock = VirtualClock(at("16 09:00"))
        self.used = 0.0
        self.standstill = ProcessStalls(self.clock, lambda: self.used)

    def passes(self, seconds: float, *, used: float = 0.0) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
        self.used += used

    def ticks(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.passes(0.5)
            self.standstill.tick()

    def during(self, seconds: float) -> timedelta:
        return self.standstill.during(timedelta(seconds=seconds))


def test_a_program_that_ticks_does_not_stand_still() -> None:
    machine = Machine()
    machine.ticks(20)

    assert machine.during(10) == NOTHING


def test_time_between_two_ticks_is_what_it_stood_still_but_for_the_usual() -> None:
    machine = Machine()
    machine.ticks(2)
    machine.passes(60.5)
    machine.standstill.tick()
    machine.ticks(2)

    assert machine.during(64) == timedelta(seconds=60)


def test_who_asks_before_the_next_tick_is_told_once() -> None:
    """The run ends as soon as the program goes on, perhaps sooner than anything ticks."""
    machine = Machine()
    machine.passes(60.5)

    assert [machine.during(61), machine.during(61)] == [timedelta(seconds=60)] * 2


@pytest.mark.parametrize(("since", "still"), [(1, 0), (21, 20), (31, 30), (62, 30)])
def test_only_what_lies_within_the_run_counts(since: float, still: float) -> None:
    machine = Machine()
    machine.ticks(30)
    machine.passes(30.5)
    machine.standstill.tick()
    machine.ticks(1)

    assert machine.during(since) == timedelta(seconds=still)


def test_a_function_that_keeps_all_others_from_running_is_at_work() -> None:
    machine = Machine()
    machine.passes(60.5, used=58)

    assert machine.during(61) == NOTHING


def test_what_stood_still_long_ago_is_forgotten() -> None:
    machine = Machine()
    for _ in range(1000):
        machine.passes(2)
        machine.standstill.tick()

    assert machine.during(10_000) < timedelta(seconds=1000)
