"""Jobs of a file that was still loading at the start: they get the same treatment later."""

from __future__ import annotations

from slack_alert.core.catalog import Catalog
from slack_alert.core.model.record import Verdict
from slack_alert.engine.batches import JobProgress, Snapshot, StartedRun
from tests.fakes.engine_rig import Rig, at, make_job, verdicts

LATE = make_job("web.up")
SEEN = {name: JobProgress(at("16 00:00"), at("16 08:00")) for name in ("db.lag", "web.up")}


def joined(snapshot: Snapshot, now: str = "16 09:05") -> Rig:
    """Return an engine that got one job at the start, and the other one now."""
    rig = Rig(make_job(), snapshot=snapshot, start=now)
    late = rig.engine.adopt(Catalog((make_job(), LATE)), snapshot, at(now), is_late=True)
    rig.engine.catch_up(at(now), at("16 08:00"), late=late)
    return rig


def test_late_job_is_owed_what_passed_since_it_ran_last() -> None:
    rig = joined(Snapshot(seen=SEEN))

    assert [(run.binding, run.slot) for run in rig.executor.runs] == [("web.up", at("16 09:00"))]
    assert verdicts(rig.rows()) == [("missed", 5)]


def test_late_job_that_was_cut_off_has_its_slot_accounted_for_once() -> None:
    started = StartedRun(7, "web.up", at("16 09:00"), at("16 09:00:01"))
    rig = joined(Snapshot(seen=SEEN, running=(started,), last_run=7))

    assert rig.executor.runs == []
    assert [row.verdict for row in rig.rows()] == [Verdict.INTERRUPTED]


def test_late_job_never_seen_before_begins_its_grid_now() -> None:
    rig = joined(Snapshot())

    assert (rig.executor.runs, rig.rows()) == ([], [])
    assert [job_state.last for job_state in rig.engine.jobs() if job_state.job is LATE] == [at("16 09:05")]


def test_edited_file_is_owed_nothing_for_what_passed() -> None:
    rig = Rig(make_job(), snapshot=Snapshot(seen=SEEN), start="16 09:05")
    rig.engine.adopt(Catalog((make_job(), LATE)), Snapshot(seen=SEEN), at("16 09:05"))

    assert (rig.executor.runs, rig.rows()) == ([], [])
