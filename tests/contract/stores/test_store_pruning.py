"""The contract of stores about pruning: what is deleted, what is folded, and what is never touched."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.model.record import NOT_RUN, Record, Verdict
from slack_alert.engine.batches import HistoryLimits
from tests.contract.store_kit import MINUTE, SECOND, STORED, Kit, T, shape, slots

HOUR = timedelta(hours=1)


def test_history_of_every_verdict_is_forgotten_with_its_age(kit: Kit) -> None:
    kit.record(*(Record(n, "a", T, verdict) for n, verdict in enumerate(STORED)))
    kit.record(Record(99, "a", T + SECOND, Verdict.SAID))
    kit.record(Record(0, "b", T, Verdict.PAUSED, count=2, until=T + SECOND))

    kit.store.prune(T + timedelta(days=7) + SECOND, HistoryLimits(days=7))

    assert [(record.binding, record.run) for record in kit.records()] == [("b", 0), ("a", 99)]


def test_within_the_limits_nothing_is_folded(kit: Kit) -> None:
    kit.record(*slots(Verdict.QUIET, 0, 9))
    before = kit.records()

    kit.store.prune(T, HistoryLimits(rows=10))

    assert kit.records() == before


def test_beyond_the_limit_quiet_rows_fold_into_one_per_job_verdict_and_hour(kit: Kit) -> None:
    minutes = [
        *slots(Verdict.QUIET, 0, 179, every=MINUTE),
        *slots(Verdict.QUIET, 0, 59, "b", every=MINUTE),
    ]
    kit.record(*minutes)

    kit.store.prune(T + 3 * HOUR, HistoryLimits(rows=10))

    # 9:30 to 12:29: the newest ten stay, what is older folds by the hour of the clock.
    a = [(record.count, record.until) for record in kit.records() if record.binding == "a"]
    assert (
        a
        == [(30, T + 29 * MINUTE), (60, T + 89 * MINUTE), (60, T + 149 * MINUTE), (20, T + 169 * MINUTE)]
        + [(1, None)] * 10
    )
    assert [record.count for record in kit.records() if record.binding == "b"] == [30, 30]
    folded = kit.records()[0]
    assert (folded.run, folded.slot, folded.started, folded.duration) == (0, T, None, None)


def test_said_failed_and_missed_rows_never_fold(kit: Kit) -> None:
    kept = [verdict for verdict in STORED if verdict not in NOT_RUN - {Verdict.MISSED} | {Verdict.QUIET}]
    records = [Record(n + 1, "a", T + n * SECOND, verdict) for n, verdict in enumerate([*kept, Verdict.QUIET] * 4)]
    for record in records:
        kit.record(record)

    kit.store.prune(T, HistoryLimits(rows=0))

    assert [r.verdict for r in kit.records() if r.verdict is not Verdict.QUIET] == kept * 4
    assert [r.count for r in kit.records() if r.verdict is Verdict.QUIET] == [4]


def test_folding_loses_no_slot_and_is_done_once(kit: Kit) -> None:
    for n in range(0, 600, 3):
        kit.record(*slots(Verdict.QUIET, n, n, every=MINUTE), *slots(Verdict.PAUSED, n + 1, n + 1, every=MINUTE))

    kit.store.prune(T, HistoryLimits(rows=50))
    once = kit.records()
    kit.store.prune(T, HistoryLimits(rows=50))

    assert sum(record.count for record in once) == 400
    assert len(once) < 80
    assert kit.records() == once


def test_folding_goes_on_as_history_grows(kit: Kit) -> None:
    for n in range(0, 240, 5):
        kit.record(*slots(Verdict.QUIET, n, n + 4, every=MINUTE))
        kit.store.prune(T, HistoryLimits(rows=5))

    # Five are left as they are; before them stands one for each hour begun.
    assert [record.count for record in kit.records()] == [30, 60, 60, 60, 25, 1, 1, 1, 1, 1]


def test_a_row_that_was_folded_is_not_made_longer(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 0, 1))
    kit.record(*slots(Verdict.QUIET, 2, 2))
    kit.record(*slots(Verdict.PAUSED, 3, 4))
    kit.store.prune(T, HistoryLimits(rows=0))

    kit.record(*slots(Verdict.PAUSED, 5, 5))

    assert shape(kit.records()) == [
        ("a", Verdict.PAUSED, 0, 4, 4),
        ("a", Verdict.QUIET, 2, 1, None),
        ("a", Verdict.PAUSED, 5, 1, None),
    ]


def test_a_row_that_swallowed_others_keeps_them(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 5, 6))
    kit.record(*slots(Verdict.PAUSED, 1, 1))
    kit.store.prune(T, HistoryLimits(rows=0))

    kit.record(*slots(Verdict.PAUSED, 2, 2))

    assert shape(kit.records()) == [("a", Verdict.PAUSED, 1, 3, 6), ("a", Verdict.PAUSED, 2, 1, None)]
