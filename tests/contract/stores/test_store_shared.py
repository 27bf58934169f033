"""The contract of stores about a line that several jobs share: it is in the history of each job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch, HistoryLimits, JobProgress
from tests.contract.store_kit import SECOND, Kit, T, shape, slots
from tests.fakes.reasons import reasons_of


def shared(first: int, last: int, *jobs: str) -> Record:
    """Return the record of slots that all these jobs missed."""
    until = T + last * SECOND if last > first else None
    count = last - first + 1
    return Record(
        0,
        "",
        T + first * SECOND,
        Verdict.MISSED,
        count=count,
        until=until,
        reasons=reasons_of("it stood"),
        sharers=jobs,
    )


@pytest.fixture(autouse=True)
def history(kit: Kit) -> None:
    """Runs of three jobs, two of which missed slots between them."""
    kit.record(*slots(Verdict.QUIET, 0, 0), *slots(Verdict.QUIET, 0, 0, "b"), *slots(Verdict.QUIET, 0, 0, "c"))
    kit.record(shared(1, 3, "a", "b"), *slots(Verdict.QUIET, 2, 2, "c"), *slots(Verdict.QUIET, 4, 4))
    kit.record(*slots(Verdict.QUIET, 4, 4, "b"), shared(5, 5, "a", "b"))


def asked(kit: Kit, job: str | None = None, since: int | None = None, limit: int | None = None) -> list[str]:
    start = None if since is None else T + since * SECOND
    records = [line.record for line in kit.reader.history(job=job, since=start, limit=limit)]
    return [f"{name}{first}{'' if count == 1 else f'-{until}'}" for name, _, first, count, until in shape(records)]


ALL = ["a0", "b0", "c0", "a1-3", "b1-3", "c2", "a4", "b4", "a5", "b5"]


def test_everybody_has_it(kit: Kit) -> None:
    assert asked(kit) == ALL
    assert asked(kit, "a") == ["a0", "a1-3", "a4", "a5"]
    assert asked(kit, "b") == ["b0", "b1-3", "b4", "b5"]
    assert asked(kit, "c") == ["c0", "c2"]


def test_it_says_of_each_what_a_line_of_its_own_would(kit: Kit) -> None:
    lines = [line.record for line in kit.reader.history(job="b", since=None, limit=None)]

    assert lines[1] == shared(1, 3)._replace(binding="b")


@pytest.mark.parametrize("limit", range(11))
def test_the_newest_lines_are_counted_by_job(kit: Kit, limit: int) -> None:
    ends = ["a0", "b0", "c0", "c2", "a1-3", "b1-3", "a4", "b4", "a5", "b5"]

    assert asked(kit, limit=limit) == [line for line in ALL if line in ends[10 - limit :]]
    assert asked(kit, "a", limit=limit) == ["a0", "a1-3", "a4", "a5"][max(0, 4 - limit) :]


def test_it_belongs_to_a_time_when_its_last_slot_does(kit: Kit) -> None:
    assert asked(kit, since=3) == ["a1-3", "b1-3", "a4", "b4", "a5", "b5"]
    assert asked(kit, "b", since=4) == ["b4", "b5"]


@pytest.mark.parametrize("name", ['", "', "a\\", 'a", "b', "", "\x1d2"])
def test_a_job_of_any_name_has_only_its_own(kit: Kit, name: str) -> None:
    assert asked(kit, name) == []


def test_it_is_whole_after_a_restart_and_goes_on(kit: Kit) -> None:
    kit.reopen()
    kit.record(shared(6, 8, "a", "b"), shared(6, 8, "b", "c"))

    assert asked(kit, since=6) == ["a6-8", "b6-8", "b6-8", "c6-8"]
    assert asked(kit, "b", since=6) == ["b6-8", "b6-8"]


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_no_row_is_made_longer_over_it(kit: Kit, is_one_batch: bool) -> None:
    records = [*slots(Verdict.PAUSED, 6, 6), shared(7, 8, "a", "c"), *slots(Verdict.PAUSED, 9, 9)]
    for batch in [records] if is_one_batch else [[record] for record in records]:
        kit.record(*batch)

    assert asked(kit, "a", since=6) == ["a6", "a7-8", "a9"]


def test_no_line_makes_it_longer(kit: Kit) -> None:
    kit.record(shared(6, 6)._replace(binding="a"))
    kit.record(shared(7, 7, "a", "b"))

    assert asked(kit, since=5) == ["a5", "b5", "a6", "a7", "b7"]


def test_after_a_refused_batch_nothing_of_it_is_there_and_all_that_follows(kit: Kit) -> None:
    naive = slots(Verdict.QUIET, 6, 6)[0]._replace(started=T.replace(tzinfo=None))
    with pytest.raises(TypeError):
        kit.record(shared(6, 8, "b", "c"), naive)
    assert asked(kit) == ALL

    kit.record(shared(6, 8, "b", "c"))
    assert asked(kit, "c", since=6) == ["c6-8"]


def test_odd_names_are_replaced_as_in_any_line(kit: Kit) -> None:
    kit.record(shared(6, 8, "x\udc80", "y\0"))

    assert asked(kit, "x\udc80") == asked(kit, "x\ufffd") == ["x\ufffd6-8"]
    assert asked(kit, since=6) == ["x\ufffd6-8", "y\ufffd6-8"]


def test_it_goes_with_its_age_and_others_come(kit: Kit) -> None:
    kit.store.prune(T + timedelta(days=1), HistoryLimits(days=0))
    assert asked(kit) == []

    kit.record(shared(6, 8, "a", "b"))
    assert asked(kit) == ["a6-8", "b6-8"]
    kit.store.prune(T + timedelta(days=1), HistoryLimits(days=1, rows=0))
    assert asked(kit) == ["a6-8", "b6-8"]


# --- how far a job is accounted for


@pytest.mark.parametrize("times", [1, 30])
def test_it_moves_all_its_jobs_on(kit: Kit, times: int) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T), "b": JobProgress(T), "c": JobProgress(T)}))
    for second in range(6, 6 + 2 * times, 2):
        kit.record(shared(second, second + 1, "a", "b"))
    last = JobProgress(T, T + (5 + 2 * times) * SECOND)

    assert kit.reader.snapshot().seen["a"] == kit.reader.snapshot().seen["b"] == last
    assert kit.reopen().seen["b"] == last


def test_it_moves_no_job_back(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T), "b": JobProgress(T)}))
    kit.record(*slots(Verdict.QUIET, 9, 9), shared(6, 8, "a", "b"))

    assert kit.reader.snapshot().seen == {"a": JobProgress(T, T + 9 * SECOND), "b": JobProgress(T, T + 8 * SECOND)}


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_a_wrong_clock_noted_gives_way(kit: Kit, is_restarted: bool) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T), "b": JobProgress(T)}))
    kit.record(shared(60, 61, "a", "b"))
    if is_restarted:
        kit.reopen()

    kit.store.commit(Batch(seen={"a": JobProgress(T, T + 6 * SECOND)}, at=T + 7 * SECOND))

    assert kit.reader.snapshot().seen == {"a": JobProgress(T, T + 6 * SECOND), "b": JobProgress(T, T + 61 * SECOND)}
    assert kit.reopen().seen["a"] == JobProgress(T, T + 6 * SECOND)


def test_jobs_stay_accounted_for_when_it_is_gone(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T), "b": JobProgress(T)}))
    kit.record(shared(6, 8, "a", "b"))
    kit.store.prune(T + timedelta(days=1), HistoryLimits(days=0))

    assert kit.reopen().seen == {"a": JobProgress(T, T + 8 * SECOND), "b": JobProgress(T, T + 8 * SECOND)}
