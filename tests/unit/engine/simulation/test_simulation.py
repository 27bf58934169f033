from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import fallback
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.simulation.doubles import MemoryRecorder, ScriptedExecutor, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation, simulate
from tests.fakes.engine_rig import BERLIN, HOUR, MARK, MINUTE, at, make_job, make_policy, verdicts


def simulated(*jobs: Job, since: str = "16 09:00", until: str = "16 12:00", **outcomes: str) -> list[Record]:
    named = {name.replace("_", "."): outcome for name, outcome in outcomes.items()}
    return list(simulate(Catalog(jobs), at(since), at(until), outcomes=named, mark=MARK))


def test_every_run_alerts_unless_told_otherwise() -> None:
    rows = simulated(make_job(), until="16 10:40")

    assert [(row.verdict.value, row.slot, row.text, row.alerts, row.paused_until) for row in rows[:4]] == [
        ("said", at("16 09:10"), "The replica lags.", 1, None),
        ("said", at("16 09:20"), "The replica lags.", 2, None),
        (
            "said",
            at("16 09:30"),
            "The replica lags.\n3 alerts: paused for 60 min, until 10:30",
            3,
            at("16 10:30"),
        ),
        ("paused", at("16 09:40"), "", 3, at("16 10:30")),
    ]
    assert verdicts(rows[3:]) == [("paused", 5), ("said", 1)]
    assert rows[3].until == at("16 10:20")


def test_quiet_windows_withhold_what_is_said_and_spend_nothing() -> None:
    mutes = Mutes(windows=[QuietWindow("backup", "mon 9:20-9:40", BERLIN)], zone=BERLIN)

    rows = list(
        simulate(Catalog((make_job(),)), at("16 09:00"), at("16 10:01"), outcomes={}, mark=MARK, mute=mutes.reason)
    )

    assert [(row.verdict.value, row.alerts) for row in rows] == [
        ("said", 1), ("muted", 1), ("muted", 1), ("said", 2), ("said", 3), ("paused", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("quiet", [("quiet", 1)] * 5),
        ("error", [("error", 1)] * 3 + [("muted", 1)] * 2),
        ("alert", [("said", 1)] * 3 + [("paused", 2)]),
    ],
)
def test_outcome_of_a_job_is_what_was_asked_for(outcome: str, expected: list[tuple[str, int]]) -> None:
    assert expected == verdicts(simulated(make_job(), until="16 10:00", db_lag=outcome))


def test_beginning_is_included_and_end_is_not() -> None:
    hourly = make_job(every={"cron": "0 * * * *"})

    assert [row.slot for row in simulated(hourly, since="16 09:00", until="16 10:00")] == [at("16 09:00")]


def test_job_at_start_runs_at_the_beginning() -> None:
    assert [row.slot for row in simulated(make_job(at_start=True), until="16 09:11")] == [
        at("16 09:00"),
        at("16 09:10"),
    ]


def test_rows_of_several_jobs_are_in_the_order_of_their_slots() -> None:
    rows = simulated(make_job("a.slow", every={"minutes": 15}), make_job("b.fast"), until="16 09:31")

    assert [(row.binding, row.slot.minute) for row in rows] == [
        ("b.fast", 10),
        ("a.slow", 15),
        ("b.fast", 20),
        ("a.slow", 30),
        ("b.fast", 30),
    ]


def test_time_outside_the_hours_is_one_row() -> None:
    rows = simulated(make_job(policy=make_policy("9:00-10:00", max_alert=0)), until="17 09:01")

    assert verdicts(rows) == [("said", 1)] * 5 + [("off_hours", 138), ("said", 1)]


def test_year_of_a_busy_job_with_few_hours_is_cheap() -> None:
    job = make_job(every={"seconds": 0.1}, policy=make_policy("mon 9:00-9:01", max_alert=1))
    rows = simulated(job, since="16 09:02", until="30 09:01")

    assert [row.verdict for row in rows] == [
        Verdict.OFF_HOURS, Verdict.SAID, Verdict.PAUSED, Verdict.OFF_HOURS, Verdict.OFF_HOURS,
        Verdict.SAID, Verdict.PAUSED,
    ]  # fmt: skip
    assert sum(row.count for row in rows) == 10 * (14 * 86_400 - 60) - 1


def test_advancing_in_steps_is_advancing_at_once() -> None:
    clock = VirtualClock(at("16 09:00"))
    simulation = Simulation(Catalog((make_job(),)), clock, ScriptedExecutor({}, MARK), mark=MARK, skips=True)
    steps = [simulation.advance(timedelta(minutes=7)) for _ in range(30)]

    assert simulation.recorder.drain() == simulated(make_job(), until="16 12:30")
    assert [fallback(message.piece) for message in steps[1]] == ["The replica lags."]
    assert clock.now() == at("16 12:30")


def test_nothing_is_said_before_the_first_slot() -> None:
    clock = VirtualClock(at("16 09:00"))
    simulation = Simulation(Catalog((make_job(),)), clock, ScriptedExecutor({}, MARK), mark=MARK)

    assert simulation.advance(10 * MINUTE) == []
    assert len(simulation.advance(MINUTE)) == 1


def test_clock_stands_still_until_it_is_set() -> None:
    clock = VirtualClock(at("16 09:00"))
    asyncio.run(clock.sleep(90))

    assert (clock.now(), clock.monotonic()) == (at("16 09:01:30"), 90.0)
    clock.set(at("16 10:00"))
    assert clock.monotonic() == HOUR.total_seconds()


def test_ledger_begins_a_new_page_with_each_look() -> None:
    recorder = MemoryRecorder()
    first = Record(0, "db.lag", at("16 09:10"), Verdict.PAUSED)
    second = first._replace(slot=at("16 09:20"))
    recorder.record_quiet(first)

    assert recorder.drain() == [first]
    recorder.record_quiet(second)
    assert recorder.drain() == [second]
    assert recorder.drain() == []


def test_rows_that_differ_are_not_joined() -> None:
    recorder = MemoryRecorder()
    paused = Record(0, "db.lag", at("16 09:10"), Verdict.PAUSED, alerts=3)
    for row in (
        paused,
        paused._replace(slot=at("16 09:20")),
        paused._replace(slot=at("16 09:30"), alerts=0),
        paused._replace(slot=at("16 09:40"), alerts=0, verdict=Verdict.QUIET),
        paused._replace(slot=at("16 09:50"), alerts=0, verdict=Verdict.QUIET),
    ):
        recorder.record_quiet(row)

    assert verdicts(recorder.drain()) == [("paused", 2), ("paused", 1), ("quiet", 1), ("quiet", 1)]
