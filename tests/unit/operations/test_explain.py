"""Which line of history is about a time, and what is asked of the store for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Text
from slack_alert.core.explain.why import Explanation
from slack_alert.core.model.message import Message, RunPart
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch, JobProgress, StartedRun
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.operations.explain import ExplainQuestion, answer, answer_without_texts
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import BERLIN, OPS, at, make_job, make_rule

NOW = at("16 14:25")
QUIET = Verdict.QUIET


def record(
    slot: str, verdict: Verdict = QUIET, *, until: str | None = None, run: int = 0, by: str | None = None
) -> Record:
    count = 1 if until is None else 5
    return Record(run, "db.lag", at(slot), verdict, count=count, until=at(until) if until else None, asked_by=by)


def asked(
    time: str | None,
    *records: Record,
    job: Job | None = None,
    is_gone: bool = False,
    started: tuple[StartedRun, ...] = (),
) -> Explanation:
    store = MemoryStore()
    store.open()
    seen = {"db.lag": JobProgress(at("10 00:00"))}
    message = Message("m", OPS, Text("lag"), RunPart("db.lag", None, 7))
    store.commit(Batch(seen=seen, records=list(records), messages=[message], running=started, at=NOW))
    question = ExplainQuestion("db.lag", None if is_gone else job or make_job(), at(time) if time else None)
    return answer(question, store, Mutes(zone=BERLIN), now=NOW, is_running=True)


@pytest.mark.parametrize(
    ("time", "records", "slot"),
    [
        ("16 14:00", [record("16 14:00")], "16 14:00"),
        ("16 14:09", [record("16 14:00"), record("16 14:10")], "16 14:00"),
        ("16 14:09", [record("16 13:00", until="16 14:20")], "16 14:00"),
        ("16 14:09", [record("16 13:00", until="16 14:20"), record("16 14:00", Verdict.SAID)], "16 14:00"),
        ("16 14:09", [record("16 14:00"), record("16 14:03:07", by="ann")], "16 14:03:07"),
        ("16 14:02", [record("16 14:00"), record("16 14:03:07", by="ann")], "16 14:00"),
    ],
)
def test_time_means_the_last_slot_up_to_it(time: str, records: list[Record], slot: str) -> None:
    found = asked(time, *records)

    assert (found.slot, found.told is not None) == (at(slot), True)


def test_slot_of_its_own_goes_before_the_folded_row_around_it() -> None:
    found = asked("16 14:00", record("16 13:00", until="16 14:20"), record("16 14:00", Verdict.SAID))

    assert found.told is not None
    assert found.told.record.verdict is Verdict.SAID


def test_slot_that_left_no_record_is_told_with_its_neighbours() -> None:
    found = asked("16 14:05", record("12 09:00"), record("16 14:10"))

    assert (found.slot, found.told) == (at("16 14:00"), None)
    assert found.sentences[-2:] == ("Before that, Thu 12 Nov 09:00: quiet.", "After that, 14:10: quiet.")


@pytest.mark.parametrize("is_gone", [True, False])
def test_job_without_times_of_its_own_is_answered_from_its_records(is_gone: bool) -> None:
    found = asked("16 14:05", record("12 09:00:13", Verdict.SAID), job=make_rule("db.lag"), is_gone=is_gone)

    assert found.slot == at("12 09:00:13")


def test_row_of_a_job_that_is_gone_is_found() -> None:
    assert asked("16 14:05", record("16 13:00", until="16 14:20"), is_gone=True).slot == at("16 13:00")


def test_nothing_recorded_is_nothing_known() -> None:
    assert asked("09 12:00").sentences[0] == "No slot of db.lag is known at Mon 09 Nov 12:00 or before it."


def test_run_that_goes_on_is_named_for_its_slot() -> None:
    started = StartedRun(9, "db.lag", at("16 14:20"), at("16 14:20:02"))

    assert "Its run goes on, since 14:20:02." in asked("16 14:24", started=(started,)).sentences
    assert "Its run of 14:20 goes on, since 14:20:02." in asked(None, started=(started,)).sentences


def test_messages_of_a_run_are_told_with_their_place_in_the_queue() -> None:
    assert "Its message is queued." in asked("16 14:00", record("16 14:00", Verdict.SAID, run=7)).sentences


def test_time_to_come_is_answered_by_what_will_decide() -> None:
    assert asked("16 14:35").slot == at("16 14:30")


def test_without_a_time_the_last_three_slots_are_told() -> None:
    records = [record(f"16 14:{minute:02}") for minute in (0, 10, 20)]

    assert asked(None, record("16 13:50"), *records).sentences[-3:] == (
        "14:20: quiet.",
        "14:10: quiet.",
        "14:00: quiet.",
    )


def test_slot_is_found_among_a_great_many() -> None:
    records = [record("16 09:00")._replace(slot=at("16 09:00") + timedelta(seconds=step)) for step in range(5_000)]

    assert asked("16 09:59:59", *records, job=make_job(every={"seconds": 1})).slot == at("16 09:59:59")


@pytest.mark.parametrize(("time", "sees"), [(None, True), ("16 14:05", True), (None, False), ("16 14:05", False)])
def test_a_text_is_shown_only_where_it_may_be_seen(time: str | None, sees: bool) -> None:
    store = MemoryStore()
    store.open()
    said = record("16 14:00", Verdict.SAID, run=7)._replace(text="the lag is 9 s")
    store.commit(Batch(seen={"db.lag": JobProgress(at("10 00:00"))}, records=[said], at=NOW))
    question = ExplainQuestion("db.lag", make_job(), at(time) if time else None)
    mutes = Mutes(zone=BERLIN)
    if sees:
        found = answer(question, store, mutes, now=NOW, is_running=True)
    else:
        found = answer_without_texts(question, store, mutes, now=NOW)

    assert ("the lag is 9 s" in " ".join(found.sentences)) is sees
