"""The contract of stores about history: its lines, and the merging of rows as they are written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.model.message import Status
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import NOT_RUN, Outcome, Record, Usage, Verdict
from slack_alert.engine.batches import Batch, HistoryLimits
from tests.contract.store_kit import MINUTE, SECOND, STORED, Kit, T, message, shape, slots

HOUR = timedelta(hours=1)


#: A reason of each code, with all that reasons have.
ALL_REASONS = tuple(
    Reason(code, T, T + HOUR, "ann", 1, 2, "what \u2026", SECOND / 3, timedelta(days=2), "Europe/Berlin", "said")
    for code in ReasonCode
)


@pytest.mark.parametrize("verdict", STORED)
def test_every_field_comes_back(kit: Kit, verdict: Verdict) -> None:
    record = Record(
        2**62,
        "db.lag",
        T,
        verdict,
        T + SECOND,
        timedelta(days=3, microseconds=7),
        "text \u2026",
        "#ops",
        3,
        T + HOUR,
        "Traceback",
        "printed\n",
        2,
        T + MINUTE,
        "ann",
        ALL_REASONS,
        {"": 1.5},
        Usage(SECOND, 2**40),
        outcome=Outcome("text", Verdict.TIMED_OUT, "TimeoutError", "took longer"),
    )
    kit.record(record)

    assert kit.reopen().last_run == 2**62
    assert kit.records() == [record]


def test_odd_text_in_history_is_replaced(kit: Kit) -> None:
    kit.record(Record(1, "j\udc80", T, Verdict.SAID, text="\ud800\0", error="x\0", printed="\udfff"))

    (record,) = kit.records()

    assert (record.binding, record.text, record.error, record.printed) == (
        "j\ufffd",
        "\ufffd\ufffd",
        "x\ufffd",
        "\ufffd",
    )


def test_odd_text_in_reasons_is_replaced(kit: Kit) -> None:
    reasons = (Reason(ReasonCode.MUTED, until=T, by="\udc80"), Reason(ReasonCode.CAME, what="\ud800x"))
    kit.record(Record(1, "a", T, Verdict.SAID, reasons=reasons, outcome=Outcome("\udc80", Verdict.ERROR)))

    (record,) = kit.records()

    assert [(reason.by, reason.what) for reason in record.reasons] == [("\ufffd", ""), ("", "\ufffdx")]
    assert record.outcome == Outcome("\ufffd", Verdict.ERROR)


def test_an_outcome_in_which_nothing_was_said_is_none_of_a_run_that_said_its_text(kit: Kit) -> None:
    kit.record(
        Record(1, "a", T, Verdict.SAID, text="recovered", outcome=Outcome()),
        Record(2, "a", T, Verdict.SAID, text="late"),
    )

    assert [record.outcome for record in kit.records()] == [Outcome(), None]


def test_slots_with_equal_reasons_are_one_line_and_others_are_not(kit: Kit) -> None:
    held = [(Reason(ReasonCode.PAUSED, until=T + HOUR, by=by),) for by in ("ann", "ann", "bob")]
    for second, reasons in enumerate(held):
        kit.record(Record(0, "a", T + second * SECOND, Verdict.PAUSED, reasons=reasons))

    assert [(record.count, record.reasons) for record in kit.records()] == [(2, held[0]), (1, held[2])]


def test_lines_are_in_the_order_of_their_slots(kit: Kit) -> None:
    kit.record(*slots(Verdict.QUIET, 3, 4), *slots(Verdict.QUIET, 1, 2, "b"))

    assert [(record.slot - T) // SECOND for record in kit.records()] == [1, 2, 3, 4]


def test_history_gives_the_newest_of_what_was_asked_for(kit: Kit) -> None:
    kit.record(*slots(Verdict.QUIET, 0, 9), *slots(Verdict.QUIET, 5, 6, "b"))

    def asked(job: str | None, since: int | None, limit: int | None) -> list[tuple[str, int]]:
        start = None if since is None else T + since * SECOND
        lines = kit.reader.history(job=job, since=start, limit=limit)
        return [(line.record.binding, (line.record.slot - T) // SECOND) for line in lines]

    assert asked("b", None, None) == [("b", 5), ("b", 6)]
    assert asked(None, 8, None) == [("a", 8), ("a", 9)]
    assert asked("a", 2, 2) == [("a", 8), ("a", 9)]
    assert asked(None, 6, 4) == [("b", 6), ("a", 7), ("a", 8), ("a", 9)]
    assert asked("a", None, 0) == []
    assert asked(None, 99, None) == []
    assert asked("nobody", None, None) == []


def test_a_row_of_slots_belongs_to_a_time_when_its_last_slot_does(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 0, 100), *slots(Verdict.QUIET, 10, 20, "b"))

    def first(**asked: int | None) -> list[str]:
        since = asked["since"]
        lines = kit.reader.history(job=None, since=None if since is None else T + since * SECOND, limit=asked["limit"])
        return [line.record.binding for line in lines]

    assert first(since=50, limit=None) == ["a"]
    assert first(since=None, limit=1) == ["a"]
    assert first(since=101, limit=None) == []


@pytest.mark.parametrize("limit", [None, 10_000])
def test_long_histories_come_whole(kit: Kit, limit: int | None) -> None:
    kit.record(*slots(Verdict.QUIET, 1, 1203), *slots(Verdict.QUIET, 1, 1203, "b"))

    for job, count in ((None, 2406), ("a", 1203)):
        runs = [line.record.run for line in kit.reader.history(job=job, since=None, limit=limit)]
        assert len(runs) == count
        assert runs == sorted(runs)


# --- the fate of messages


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], (None, 0, None)),
        ([(Status.SENT, 1, "r1")], ("sent", 1, "r1")),
        ([(Status.SENT, 1, "r1"), (Status.SENT, 4, "r2")], ("sent", 4, "r1")),
        ([(Status.SENT, 1, "r1"), (Status.QUEUED, 2, None)], ("queued", 2, "r1")),
        ([(Status.DEAD, 9, None), (Status.QUEUED, 2, None), (Status.SENT, 1, "r3")], ("dead", 9, "r3")),
    ],
)
def test_a_line_tells_the_worst_of_its_parts(
    kit: Kit, parts: list[tuple[Status, int, str | None]], expected: tuple[str | None, int, str | None]
) -> None:
    told = [message(f"7#{n}", run=7) for n in range(len(parts))]
    batch = Batch(messages=[*told, message("other", run=8)], records=[Record(7, "a", T, Verdict.SAID)], at=T)
    ids = [delivery.id for delivery in kit.store.commit(batch)]
    for number, (status, attempts, receipt) in zip(ids, parts, strict=False):
        kit.mark(number, status, attempts, receipt=receipt)

    (line,) = kit.reader.history(job=None, since=None, limit=None)

    assert (line.delivery, line.attempts, line.receipt) == expected


# --- rows that become one as they are written


@pytest.mark.parametrize("verdict", sorted(NOT_RUN, key=str))
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_slots_in_a_row_that_did_not_run_are_one_line(kit: Kit, verdict: Verdict, is_one_batch: bool) -> None:
    records = slots(verdict, 0, 9)
    for batch in [records] if is_one_batch else [[record] for record in records]:
        kit.record(*batch)

    assert shape(kit.records()) == [("a", verdict, 0, 10, 9)]


@pytest.mark.parametrize("verdict", sorted(set(STORED) - NOT_RUN, key=str))
def test_slots_that_ran_stay_lines_of_their_own(kit: Kit, verdict: Verdict) -> None:
    kit.record(*slots(verdict, 0, 2))
    kit.record(*slots(verdict, 3, 3))

    assert len(kit.records()) == 4


def test_a_row_ends_where_anything_differs(kit: Kit) -> None:
    paused = Record(0, "a", T, Verdict.PAUSED, alerts=3, paused_until=T + HOUR)
    later = [
        paused._replace(slot=T + 1 * SECOND),
        paused._replace(slot=T + 2 * SECOND, alerts=2),
        paused._replace(slot=T + 3 * SECOND, alerts=2, paused_until=None),
        paused._replace(slot=T + 4 * SECOND, alerts=2, paused_until=None, verdict=Verdict.OFF_HOURS),
        paused._replace(slot=T + 5 * SECOND, alerts=2, paused_until=None, verdict=Verdict.OFF_HOURS, text="why"),
    ]
    for record in (paused, *later):
        kit.record(record)

    assert [record.count for record in kit.records()] == [2, 1, 1, 1, 1]


def test_a_run_in_between_ends_the_row(kit: Kit) -> None:
    kit.record(*slots(Verdict.OVERLAPPED, 1, 2))
    kit.record(*slots(Verdict.QUIET, 0, 0))
    kit.record(*slots(Verdict.OVERLAPPED, 4, 5))

    assert shape(kit.records()) == [
        ("a", Verdict.QUIET, 0, 1, None),
        ("a", Verdict.OVERLAPPED, 1, 2, 2),
        ("a", Verdict.OVERLAPPED, 4, 2, 5),
    ]


def test_jobs_have_rows_of_their_own(kit: Kit) -> None:
    for n in range(3):
        kit.record(*slots(Verdict.PAUSED, n, n), *slots(Verdict.PAUSED, n, n, "b"), *slots(Verdict.QUIET, n, n, "c"))

    rows = shape(kit.records())

    assert [row for row in rows if row[0] != "c"] == [("a", Verdict.PAUSED, 0, 3, 2), ("b", Verdict.PAUSED, 0, 3, 2)]
    assert len(rows) == 5


def test_a_slot_told_twice_or_out_of_order_is_a_line_of_its_own(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 5, 6))
    kit.record(*slots(Verdict.PAUSED, 6, 6))
    kit.record(*slots(Verdict.PAUSED, 1, 1))

    assert sum(record.count for record in kit.records()) == 4
    assert len(kit.records()) == 3


def test_after_a_refused_batch_rows_go_on_with_nothing_lost(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 0, 3))
    naive = slots(Verdict.PAUSED, 4, 5)[1]._replace(started=T.replace(tzinfo=None))
    with pytest.raises(TypeError):
        kit.record(*slots(Verdict.PAUSED, 4, 4), naive)

    kit.record(*slots(Verdict.PAUSED, 4, 9))

    assert sum(record.count for record in kit.records()) == 10


def test_a_row_that_was_forgotten_is_not_made_longer(kit: Kit) -> None:
    kit.record(*slots(Verdict.PAUSED, 0, 1))
    kit.store.prune(T + timedelta(days=1), HistoryLimits(days=0))

    kit.record(*slots(Verdict.PAUSED, 2, 3))

    assert shape(kit.records()) == [("a", Verdict.PAUSED, 2, 2, 3)]


def test_who_asked_is_kept_until_the_row_is_folded(kit: Kit) -> None:
    asked = Record(1, "a", T, Verdict.QUIET, asked_by="ann")
    kit.record(asked, asked._replace(run=2, slot=T + SECOND))

    assert [record.asked_by for record in kit.records()] == ["ann", "ann"]
    kit.store.prune(T, HistoryLimits(30, 0))
    assert [(record.count, record.asked_by) for record in kit.records()] == [(2, None)]


@pytest.mark.parametrize("since", [None, 4, 6])
def test_the_newest_lines_are_those_that_end_last(kit: Kit, since: int | None) -> None:
    """Rows of several slots overlap rows of one slot."""
    kit.record(*slots(Verdict.PAUSED, 0, 6), *slots(Verdict.QUIET, 1, 1, "b"))
    kit.record(*slots(Verdict.OFF_HOURS, 2, 3, "c"), *slots(Verdict.QUIET, 4, 5, "b"))
    ends = [("b", 1), ("c", 3), ("b", 4), ("b", 5), ("a", 6)]
    begin = None if since is None else T + since * SECOND
    wanted = [end for end in ends if since is None or end[1] >= since]

    for limit in range(7):
        lines = list(kit.reader.history(job=None, since=begin, limit=limit))
        found = {(line.record.binding, ((line.record.until or line.record.slot) - T) // SECOND) for line in lines}
        assert found == set(wanted[max(0, len(wanted) - limit) :])
