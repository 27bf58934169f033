"""The rows that a start recovers after a kill."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import Text
from slack_alert.core.model.message import Notice
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Returned
from slack_alert.engine.batches import Batch, JobProgress, Snapshot, StartedRun, UnaccountedSlots
from slack_alert.engine.runs.job_state import create_job_states
from slack_alert.engine.runs.recovery import recover
from tests.fakes.engine_rig import BERLIN, MINUTE, OPS, Kept, Rig, at, failed, make_job, make_policy, said
from tests.fakes.reasons import why

NINE = at("16 09:00")


def span(after: str, until: str, job: str = "db.lag") -> UnaccountedSlots:
    return UnaccountedSlots(job, at(f"16 {after}"), at(f"16 {until}"))


def begun(slot: str, run: int = 7) -> StartedRun:
    return StartedRun(run, "db.lag", at(f"16 {slot}"), at(f"16 {slot}"))


def returned(slot: str, run: int = 8, job: str = "db.lag") -> Returned:
    return Returned(run, job, at(f"16 {slot}"), at(f"16 {slot}"), timedelta(seconds=1), (Text("late"),))


def rows(snapshot: Snapshot, *, since: datetime | None = None, hours: str = "always") -> list[tuple[str, str, int]]:
    """Recover with a job every ten minutes since nine; return verdict, first slot and count of the rows."""
    job_states = create_job_states((make_job(policy=make_policy(hours)),), snapshot, NINE)
    found = recover(job_states, snapshot, since)
    assert all((each.until or each.slot) <= (job_states["db.lag"].last or NINE) for each in found)
    return sorted((f"{each.slot.astimezone(BERLIN):%H:%M}", each.verdict.value, each.count) for each in found)


def left(last: str | None = None, **what: object) -> Snapshot:
    seen = JobProgress(NINE, at(f"16 {last}") if last else None)
    return Snapshot(seen={"db.lag": seen}, **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (left(), []),
        (left("10:00", unaccounted=(span("09:00", "09:10"),)), []),
        (left("10:00", unaccounted=(span("09:00", "09:40"),)), [("09:10", "missed", 3)]),
        (left("10:00", unaccounted=(span("09:00", "09:20"), span("09:20", "09:40"))), [
            ("09:10", "missed", 1), ("09:30", "missed", 1),
        ]),
        # A start was killed while it took up the journal: the next one finds what it found, and what it wrote.
        (left("10:00", unaccounted=(span("09:00", "09:20"), span("09:00", "09:40"))), [
            ("09:10", "missed", 1), ("09:30", "missed", 1),
        ]),
        (left("10:00", unaccounted=(span("09:00", "09:40"), span("09:00", "09:20"))), [
            ("09:10", "missed", 1), ("09:30", "missed", 1),
        ]),
        (left("10:00", unaccounted=(span("09:00", "09:40"),), running=(begun("09:20"),)), [
            ("09:10", "missed", 1), ("09:20", "interrupted", 1), ("09:30", "missed", 1),
        ]),
        (left("09:00", running=(begun("09:20"),)), [("09:20", "interrupted", 1)]),
        (left("09:00", returned=(returned("09:20"),)), [("09:10", "missed", 1)]),
        (left(returned=(returned("09:20"),)), [("09:10", "missed", 1)]),
        (left("09:20", returned=(returned("09:20"),)), []),
        (left("10:00", unaccounted=(span("09:00", "09:40", "gone"),)), []),
    ],
)  # fmt: skip
def test_each_slot_whose_row_was_lost_gets_one(snapshot: Snapshot, expected: list[tuple[str, str, int]]) -> None:
    assert rows(snapshot) == expected


def test_slots_outside_working_hours_keep_their_verdict() -> None:
    snapshot = left("10:00", unaccounted=(span("09:00", "09:40"),))

    assert rows(snapshot, hours="9:15-18:00") == [("09:10", "off_hours", 1), ("09:20", "missed", 2)]


def test_where_all_was_written_nothing_is_missing() -> None:
    """The job has changed: by its new times there would have been slots."""
    snapshot = left("10:00", unaccounted=(span("09:00", "09:40"),))

    assert rows(snapshot, since=at("16 09:25")) == [("09:30", "missed", 1)]
    assert rows(snapshot, since=at("16 09:55")) == []


def test_a_lost_row_says_so() -> None:
    snapshot = left("10:00", unaccounted=(span("09:00", "09:20"),))
    (row,) = recover(create_job_states((make_job(),), snapshot, NINE), snapshot, None)

    assert why(row.reasons) == "a kill came before it was written what became of it"


def test_only_jobs_with_missing_rows_are_accounted_for() -> None:
    snapshot = left(
        "10:00", unaccounted=(span("09:00", "09:20"), span("09:20", "09:40"), span("09:00", "09:40", "gone"))
    )

    assert snapshot.unaccounted_among({"db.lag", "other"}) == ["db.lag"]
    assert left("10:00").unaccounted_among({"db.lag"}) == []


def test_what_a_job_returned_that_is_not_there_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rows = recover({}, Snapshot(returned=(returned("09:20", job="old.job"),)), None)

    assert rows == []
    assert [record.message for record in caplog.records] == ["a job is gone that had something to say"]


def test_a_job_whose_file_loads_late_is_accounted_for_then() -> None:
    """Its run that was cut off has its row from the start."""
    snapshot = left(
        "10:00", unaccounted=(span("09:00", "09:40"),), running=(begun("09:20"),), returned=(returned("10:10"),)
    )
    rig = Rig(make_job("other"), start="16 10:15", snapshot=snapshot)
    assert [(row.binding, row.verdict) for row in rig.rows()] == [("db.lag", Verdict.INTERRUPTED)]

    late = rig.engine.adopt(Catalog((make_job(), make_job("other"))), snapshot, rig.clock.now(), is_late=True)
    rig.engine.catch_up(rig.clock.now(), late=late)

    found = [(f"{row.slot.astimezone(BERLIN):%H:%M}", row.verdict.value, row.count) for row in rig.rows()]
    assert found == [("09:10", "missed", 2), ("10:10", "said", 1)]


def test_a_job_whose_file_is_mended_says_what_it_had_returned_before_a_kill() -> None:
    snapshot = left("09:10", returned=(returned("09:20"),))
    rig = Rig(make_job("other"), start="16 10:15", snapshot=snapshot)
    assert rig.texts == []

    rig.engine.adopt(Catalog((make_job(), make_job("other"))), snapshot, rig.clock.now())
    rig.engine.adopt(Catalog((make_job("other"),)), snapshot, rig.clock.now())
    rig.engine.adopt(Catalog((make_job(), make_job("other"))), snapshot, rig.clock.now())

    assert len(rig.texts) == 1
    assert [(f"{row.slot.astimezone(BERLIN):%H:%M}", row.verdict.value) for row in rig.rows()] == [("09:20", "said")]


# --- what makes sure that a start finds it


class Noted(Rig):
    """A rig whose batches are recorded; none is committed before the test commits it."""

    def __init__(self, **how: object) -> None:
        super().__init__(**how)  # type: ignore[arg-type]
        self.kept = Kept()
        self.through.recorder = self.kept

    @property
    def begun(self) -> list[list[int]]:
        return [[each.run for each in batch.begun] for batch in self.kept.batches]


def test_a_run_that_speaks_is_noted_with_its_words() -> None:
    rig = Noted()
    rig.due("16 09:10")
    (run,) = rig.engine.runs()
    rig.engine.say(run, (Text("half"),))
    rig.engine.say(run, (Text("more"),))

    assert rig.begun == [[1], [1]]  # Until one of them is committed.
    run.progress.is_noted = True
    rig.engine.say(run, (Text("end"),))
    assert rig.begun[2:] == [[]]


@pytest.mark.parametrize("hours", ["always", "9:00-9:15"])
def test_a_slot_that_finds_a_run_going_on_is_written_with_the_note_that_it_began(hours: str) -> None:
    rig = Rig(make_job(policy=make_policy(hours)))
    rig.through.recorder = kept = Kept()
    for slot in ("16 09:10", "16 09:20", "16 09:30"):
        rig.due(slot)

    verdict = Verdict.OVERLAPPED if hours == "always" else Verdict.OFF_HOURS
    written = [
        ([each.run for each in batch.begun], [row.verdict for row in batch.records])
        for batch in kept.batches
        if batch.records
    ]
    assert written == [([1], [verdict]), ([1], [verdict])]

    kept.batches.clear()
    rig.engine.runs()[0].progress.is_noted = True
    rig.due("16 09:40")
    assert [batch for batch in kept.batches if batch.records or batch.begun] == []


def test_a_run_that_ends_says_nothing_of_later_slots() -> None:
    """Their rows may wait to be written, while its messages are journaled at once."""
    rig = Rig()
    rig.through.recorder = kept = Kept()
    rig.due("16 09:10")
    rig.due("16 09:20")
    rig.executor.finish(said("lag"))

    assert kept.batches[-1].seen == {"db.lag": JobProgress(NINE, at("16 09:10"))}


@pytest.mark.parametrize("is_at_start", [False, True])
def test_a_run_of_a_start_begins_when_it_is_committed_that_it_does(is_at_start: bool) -> None:
    job = make_job(at_start=is_at_start)
    rig = Rig(job, start="16 10:05", snapshot=left("09:10"))
    committed: list[Batch] = []

    class Waiting(Kept):
        def submit(self, batch: Batch, then: object = None) -> None:
            super().submit(batch)
            assert callable(then)
            self.then = then
            committed.append(batch)

    rig.through.recorder = recorder = Waiting()
    if is_at_start:
        rig.engine.start(rig.clock.now())
    else:
        rig.engine.catch_up(rig.clock.now(), make_notice=lambda missed: (Notice("key", ""), str(dict(missed)), OPS))
    assert rig.executor.runs == []
    (batch,) = committed
    assert [each.run for each in batch.begun] == [1]

    recorder.then()
    (run,) = rig.executor.runs
    assert run.progress.is_noted
    if not is_at_start:  # All that the next start would make again is in the one batch.
        assert [(row.verdict, row.count) for row in batch.records] == [(Verdict.MISSED, 4)]
        assert len(batch.messages) == 1
        assert batch.is_repeatable


def test_a_failure_after_some_words_is_one_row() -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("half"),))
    rig.clock.set(rig.clock.now() + MINUTE)
    rig.executor.finish(failed())

    assert [(row.run, row.verdict) for row in rig.rows()] == [(1, Verdict.ERROR)]


def test_a_made_up_slot_that_finds_a_run_going_on_is_written_with_those_before_it() -> None:
    """The return value from a killed process is being recorded: its job is not free yet."""
    rig = Rig(start="16 09:00")
    rig.through.recorder = kept = Kept()
    rig.engine.restore(left("09:10", returned=(returned("09:20"),)), at("16 10:05"))
    kept.batches.clear()
    rig.engine.catch_up(at("16 10:05"))

    (batch,) = kept.batches
    assert [(row.verdict, row.count) for row in batch.records] == [(Verdict.MISSED, 3), (Verdict.OVERLAPPED, 1)]
    assert {each.run for each in batch.begun} == {8}
