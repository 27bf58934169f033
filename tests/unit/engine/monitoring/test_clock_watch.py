"""Slots that passed during a stall or a sleep, and the reasons of slots that did not run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.run import QUIET
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import format_delay
from slack_alert.engine.batches import JobProgress, Snapshot
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.clock_watch import TickMonitor
from slack_alert.engine.ports import Tick
from slack_alert.engine.simulation.doubles import MemoryRecorder, VirtualClock
from tests.fakes.engine_rig import BERLIN, HOUR, MARK, MINUTE, Held, Rig, at, make_job, make_policy, said
from tests.fakes.reasons import why

CRON = {"cron": "0 9,12 * * *"}


def patient(hours: float, every: Mapping[str, object] = CRON, policy: str = "always") -> Job:
    return replace(make_job(every=every, policy=make_policy(policy)), catch_up=timedelta(hours=hours))


def started(job: Job, now: str, last: str = "15 20:00") -> Rig:
    """A program that starts after having been down since the last slot."""
    seen = {"db.lag": JobProgress(at("10 00:00"), at(last))}
    rig = Rig(job, snapshot=Snapshot(seen=seen), start=now)
    rig.engine.catch_up(at(now), at(last))
    return rig


def lines(rig: Rig) -> list[tuple[str, datetime, int]]:
    return [(row.verdict.value, row.slot, row.count) for row in rig.rows()]


def reasons(rig: Rig) -> list[str | None]:
    return [why(row.reasons) or None for row in rig.rows()]


# --- what catch_up decides at the start


@pytest.mark.parametrize(
    ("job", "now", "slots", "rows"),
    [
        (patient(0), "16 09:30", [], [("missed", "16 09:00", 1)]),
        (patient(1), "16 09:30", ["16 09:00"], []),
        (patient(1), "16 09:59:59", ["16 09:00"], []),
        (patient(1), "16 10:00", [], [("missed", "16 09:00", 1)]),
        (patient(4), "16 12:30", ["16 12:00"], [("missed", "16 09:00", 1)]),
        (patient(24, {"days": 1, "at": "06:00"}), "16 09:30", ["16 06:00"], []),
        (patient(24, {"at": "2026-11-16T06:00"}), "16 09:30", ["16 06:00"], []),
        (patient(0, {"minutes": 10}), "16 09:35", ["16 09:30"], [("missed", "15 20:10", 80)]),
    ],
)
def test_slot_that_passed_runs_once_where_it_is_young_enough(
    job: Job, now: str, slots: list[str], rows: list[tuple[str, str, int]]
) -> None:
    rig = started(job, now)

    assert [run.slot for run in rig.executor.runs] == [at(slot) for slot in slots]
    assert lines(rig) == [(verdict, at(first), count) for verdict, first, count in rows]


def test_slot_in_hours_is_caught_up_though_later_ones_were_outside() -> None:
    rig = started(patient(24, policy="8:00-10:00"), "16 13:00")

    assert [run.slot for run in rig.executor.runs] == [at("16 09:00")]
    assert lines(rig) == [("off_hours", at("16 12:00"), 1)]
    assert [job_state.last for job_state in rig.engine.jobs()] == [at("16 12:00")]


def test_held_slot_is_not_caught_up() -> None:
    seen = {"db.lag": JobProgress(at("10 00:00"), at("15 20:00"))}
    rig = Rig(patient(24), snapshot=Snapshot(seen=seen, holds={"db.lag": Pause()}), start="16 09:30")
    rig.engine.catch_up(at("16 09:30"))

    assert (rig.executor.runs, lines(rig)) == ([], [("paused", at("16 09:00"), 1)])


def test_history_says_that_a_run_was_caught_up_and_why_others_were_missed() -> None:
    rig = started(patient(4), "16 12:30")
    rig.executor.finish(QUIET)
    down = "because the program was not running from Sun 15 Nov 20:00 to Mon 16 Nov 12:30"

    assert reasons(rig) == [down, f"caught up 30m late, {down}"]


def test_what_a_caught_up_run_says_keeps_the_reason() -> None:
    rig = started(patient(4), "16 09:30")
    rig.executor.finish(said("late"))

    assert [reason and reason.partition(",")[0] for reason in reasons(rig)] == ["caught up 30m late"]


# --- a stall, and a machine that slept


def test_short_stall_says_how_late_the_clock_came() -> None:
    rig = Rig(make_job(every={"seconds": 1}))
    rig.due("16 09:00:01")
    rig.executor.finish(QUIET)
    rig.due("16 09:00:02", "16 09:00:03", "16 09:00:04")
    rig.executor.finish(QUIET)

    span = "from Mon 16 Nov 09:00:01 to 09:00:04"
    assert reasons(rig) == [None, f"by up to 2s, because the program stood still {span}", None]


@pytest.mark.parametrize(
    ("job", "now", "has_run"),
    [
        (patient(0), "16 09:00", True),
        (patient(0), "16 09:00:01", False),
        (patient(0), "16 09:01:01", False),
        (patient(1), "16 09:00:33", True),
        (patient(1), "16 09:59", True),
        (patient(1), "16 10:00", False),
    ],
)
def test_slot_of_the_wall_clock_that_passed_in_a_long_stall_is_held_to_catch_up_as_after_a_downtime(
    job: Job, now: str, has_run: bool
) -> None:
    rig = Rig(job, start="16 08:00")
    rig.clock.set(at(now))
    missed_ticks = rig.engine.handle(Tick([(("db.lag",), (at("16 09:00"),))]))

    assert [run.slot for run in rig.executor.runs] == ([at("16 09:00")] if has_run else [])
    assert missed_ticks.missed == ({} if has_run else {"db.lag": 1})
    assert missed_ticks.is_long


@pytest.mark.parametrize(("since", "has_run"), [("16 08:59:20", True), ("16 08:59:19", False)])
def test_slot_of_the_wall_clock_runs_after_a_stall_of_no_more_than_a_minute(since: str, has_run: bool) -> None:
    rig = Rig(patient(0), start=since)
    rig.clock.set(at("16 09:00:20"))
    rig.engine.handle(Tick([(("db.lag",), (at("16 09:00"),))]))

    assert [run.slot for run in rig.executor.runs] == ([at("16 09:00")] if has_run else [])


def test_of_many_slots_one_that_comes_in_time_runs_after_a_long_stall() -> None:
    rig = Rig(make_job(every={"cron": "* * * * *"}), start="16 08:55")
    rig.due("16 08:56", "16 08:58", "16 09:00")

    assert [run.slot for run in rig.executor.runs] == [at("16 09:00")]
    assert lines(rig) == [("missed", at("16 08:56"), 4)]


def test_what_still_runs_after_a_long_stall_says_how_late_it_is() -> None:
    rig = Rig(patient(1), start="16 08:58")
    rig.clock.set(at("16 09:00:33"))
    rig.engine.handle(Tick([(("db.lag",), (at("16 09:00"),))]))
    rig.executor.finish(QUIET)

    assert reasons(rig) == ["caught up 33s late, because the program stood still from Mon 16 Nov 08:58 to 09:00:33"]


def test_interval_runs_once_after_the_machine_slept() -> None:
    rig = Rig(start="16 08:00")
    rig.clock.set(at("16 12:05"))
    missed_ticks = rig.engine.handle(Tick([(("db.lag",), (at("16 08:10"), at("16 11:50"), at("16 12:00")))]))

    assert ([run.slot for run in rig.executor.runs], missed_ticks.missed) == ([at("16 12:00")], {"db.lag": 23})


class Sleepy(VirtualClock):
    """A clock whose monotonic side stands still while the machine sleeps."""

    steady = 0.0

    def monotonic(self) -> float:
        return self.steady


@pytest.mark.parametrize(
    ("awake", "cause"),
    [(3600, OutageCause.STALLED), (1900, OutageCause.STALLED), (1700, OutageCause.ASLEEP), (0, OutageCause.ASLEEP)],
)
def test_time_that_passed_on_the_wall_alone_was_slept(awake: float, cause: OutageCause) -> None:
    clock = Sleepy(at("16 08:00"))
    vigil = TickMonitor(clock)
    vigil.tick()
    clock.set(at("16 09:00"))
    clock.steady += awake

    assert vigil.tick().outage == Outage(cause, at("16 08:00"), at("16 09:00"))


def test_first_look_knows_of_no_lapse() -> None:
    assert not TickMonitor(VirtualClock(at("16 08:00"))).tick().is_long


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.04, "0.1s"), (1.23, "1.2s"), (9.96, "10s"), (45.4, "45s"), (61, "1m1s"), (7322, "2h2m"), (90_000, "1d1h")],
)
def test_lateness_is_as_exact_as_anybody_wants(seconds: float, written: str) -> None:
    assert format_delay(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (OutageCause.DOWN, "because the program was not running from Mon 16 Nov 08:00 to 09:00"),
        (OutageCause.STALLED, "by 30m, because the program stood still from Mon 16 Nov 08:00 to 09:00"),
        (OutageCause.ASLEEP, "by 30m, because the machine was asleep from Mon 16 Nov 08:00 to 09:00"),
    ],
)
def test_missed_slot_says_why_nobody_looked(cause: OutageCause, reason: str) -> None:
    lapse = Outage(cause, at("16 08:00"), at("16 09:00"))

    assert why(lapse.reason(at("16 08:30"), at("16 08:30"), BERLIN)) == reason


# --- why the gate held a slot back


def test_slot_outside_the_hours_names_them() -> None:
    rig = Rig(make_job(policy=make_policy("mon-fri 9:30-19:00")))
    rig.due("16 09:10")

    assert reasons(rig) == ["outside mon-fri 9:30-19:00"]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("16 09:00", "3 of 3 alerts since 09:10, until 10:30"),
        ("16 23:00", "3 of 3 alerts since Mon 16 Nov 23:10, until Tue 17 Nov 00:30"),
    ],
)
def test_slot_in_a_rest_names_what_was_spent(start: str, reason: str) -> None:
    rig = Rig(start=start)
    for step in (10, 20, 30):
        rig.play(f"{start[:-2]}{step}", said("lag"))
    rig.due(f"{start[:-2]}40")

    assert reasons(rig)[-1] == reason


def test_slot_that_finds_the_run_going_on_names_it() -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.due("16 09:20")

    assert reasons(rig) == ["the run of 09:10 was going on"]


def test_slots_of_a_row_have_one_reason_and_stay_one_line() -> None:
    rig = Rig(make_job(policy=make_policy("9:00-10:00")))
    for minute in (10, 20, 30):
        rig.due(f"16 22:{minute}")

    assert lines(rig) == [("off_hours", at("16 22:10"), 3)]


def test_engine_without_jobs_sees_nothing_missed() -> None:
    clock = VirtualClock(at("16 08:00"))
    engine = Engine(Catalog(()), recorder=MemoryRecorder(), executor=Held(), clock=clock, mark=MARK)
    engine.restore(Snapshot(), clock.now())
    clock.set(clock.now() + HOUR + MINUTE)

    assert engine.handle(Tick([((), (clock.now(),))])).missed == {}
