"""Slots that many jobs miss alike in a stall share one row, without loss of detail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Record, Verdict, split_by_job
from slack_alert.core.model.run import QUIET
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.engine.batches import Batch, JobProgress, Snapshot
from slack_alert.engine.ports import Tick
from slack_alert.engine.runs.missed_slots import MissedSlots
from slack_alert.engine.simulation.doubles import MemoryRecorder
from tests.fakes.engine_rig import Rig, at, make_job, make_policy

SLOTS = [at(f"16 09:{minute}") for minute in (10, 20, 30)]


def make_jobs(number: int) -> list[Job]:
    return [make_job(f"db.job_{place}") for place in range(number)]


class Lines(MemoryRecorder):
    """A recorder that keeps rows as they are recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Record] = []

    def record_quiet(self, record: Record) -> None:
        self.noted.append(record)


def stalled(jobs: Iterable[Job], snapshot: Snapshot | None = None, now: str = "16 09:30") -> tuple[Rig, list[Record]]:
    """Process three slots of all jobs at once, and return the rows recorded before the last of them runs."""
    known = list(jobs)
    rig, recorder = Rig(*known, snapshot=snapshot), Lines()
    rig.through.recorder = recorder
    rig.engine.missed_slots = MissedSlots(recorder)
    rig.clock.set(at(now))
    rig.engine.handle(Tick([([job.name for job in known], SLOTS)]))
    return rig, recorder.noted


def test_many_jobs_that_missed_the_same_share_a_line() -> None:
    jobs = make_jobs(100)
    rig, noted = stalled(jobs)

    assert [(line.verdict, line.slot, line.count, line.until) for line in noted] == [
        (Verdict.MISSED, SLOTS[0], 2, SLOTS[1])
    ]
    assert noted[0].sharers == tuple(job.name for job in jobs)
    assert [(run.binding, run.slot) for run in rig.executor.runs] == [(job.name, SLOTS[2]) for job in jobs]


def test_shared_line_says_of_each_what_its_own_would() -> None:
    few, many = make_jobs(3), make_jobs(100)

    _, apart = stalled(few)
    _, together = stalled(many)

    assert [line for record in together for line in split_by_job(record)][:3] == apart


def test_shared_line_is_for_so_many_at_most() -> None:
    _, noted = stalled(make_jobs(600))

    assert [len(line.sharers) for line in noted] == [256, 256, 88]


def test_job_of_which_more_is_to_be_said_has_a_line_of_its_own() -> None:
    jobs = make_jobs(50)
    jobs[0] = make_job("db.closed", policy=make_policy("9:15-17:00"))
    jobs[1] = make_job("db.utc", zone=at("16 09:00").tzinfo)  # type: ignore[arg-type]
    jobs[2] = make_job("db.often", every={"minutes": 5})
    held, spent = Pause(by="ann"), State(alerts=Quota((at("16 08:50"),)))
    snapshot = Snapshot(
        holds={"db.job_3": held}, states={"db.job_4": spent}, seen={"db.job_5": JobProgress(at("16 08:10"))}
    )
    _, noted = stalled(jobs, snapshot)

    assert [(line.binding, line.verdict.value, line.count, line.alerts) for line in noted if not line.sharers] == [
        ("db.closed", "off_hours", 1, 0),
        ("db.closed", "missed", 1, 0),
        ("db.utc", "missed", 2, 0),
        ("db.often", "missed", 4, 0),
        ("db.job_3", "paused", 2, 0),
        ("db.job_3", "paused", 1, 0),
        ("db.job_4", "missed", 2, 1),
        ("db.job_5", "missed", 2, 0),
    ]
    assert [len(line.sharers) for line in noted if line.sharers] == [44]


def test_runs_come_in_the_order_of_the_files_whoever_shares_a_line() -> None:
    jobs = make_jobs(50)
    jobs[7] = make_job("db.closed", policy=make_policy("9:15-17:00"))
    rig, _ = stalled(jobs)

    assert [run.binding for run in rig.executor.runs] == [job.name for job in jobs]


def test_missed_runs_are_counted_by_job() -> None:
    jobs = make_jobs(40)
    rig = Rig(*jobs)
    rig.clock.set(at("16 09:30"))
    missed_ticks = rig.engine.handle(Tick([([job.name for job in jobs], SLOTS)]))

    assert missed_ticks.missed == {job.name: 2 for job in jobs}


def test_jobs_that_share_a_line_are_accounted_for_up_to_their_run() -> None:
    jobs = make_jobs(40)
    rig, noted = stalled(jobs)

    assert {rig.engine.state_of(job.name).is_calm for job in jobs} == {True}
    assert {job_state.last for job_state in rig.engine.jobs()} == {SLOTS[2]}
    assert len(noted) == 1


def test_run_that_goes_on_makes_its_slot_overlapped_and_the_others_missed() -> None:
    jobs = make_jobs(40)
    rig, recorder = Rig(*jobs), Lines()
    rig.engine.handle(Tick([([job.name for job in jobs], [at("16 09:00")])]))
    rig.through.recorder = recorder
    rig.engine.missed_slots = MissedSlots(recorder)
    rig.clock.set(SLOTS[2])
    rig.engine.handle(Tick([([job.name for job in jobs], SLOTS)]))

    assert [(line.verdict.value, line.count, len(line.sharers)) for line in recorder.noted[:2]] == [
        ("missed", 2, 40),
        ("overlapped", 1, 0),
    ]
    assert len(recorder.noted) == 41


def test_books_in_memory_have_a_line_of_each() -> None:
    jobs = make_jobs(40)
    rig = Rig(*jobs)
    rig.clock.set(SLOTS[2])
    rig.engine.handle(Tick([([job.name for job in jobs], SLOTS)]))
    while rig.executor.runs:
        rig.executor.finish(QUIET)
    rows = rig.rows()

    assert [(row.binding, row.verdict.value, row.count) for row in rows] == [
        *((job.name, "missed", 2) for job in jobs),
        *((job.name, "quiet", 1) for job in jobs),
    ]
    assert Batch(records=rows).is_durable is False
    assert at("16 09:30") - rows[0].slot == timedelta(minutes=20)
