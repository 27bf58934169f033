"""Merge rows of history: which ones may become one row. Pure, and shared by all stores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from slack_alert.core.model.record import NOT_RUN, Record, Verdict, extend

#: The verdicts whose rows fold once there are too many; alerts, errors and misses keep their rows.
FOLDABLE = frozenset({Verdict.QUIET, *NOT_RUN} - {Verdict.MISSED})

#: In microseconds, as instants are stored.
HOUR = 3_600_000_000


def merge_consecutive(records: Iterable[Record]) -> list[Record]:
    """Return the records with consecutive slots of a job that did not run merged; the order is kept."""
    condensed: list[Record] = []
    last: dict[str, int] = {}
    for record in records:
        if record.verdict not in NOT_RUN:
            if last:
                last.pop(record.binding, None)
            condensed.append(record)
            continue
        if record.sharers:
            for job in record.sharers:
                last.pop(job, None)
            condensed.append(record)
            continue
        at = last.get(record.binding)
        longer = extend(condensed[at], record) if at is not None else None
        if at is not None and longer is not None:
            condensed[at] = longer
        else:
            last[record.binding] = len(condensed)
            condensed.append(record)
    return condensed


class RowExtension(NamedTuple):
    """A stored row that a further record makes longer, before and after."""

    id: int
    before: Record
    after: Record


class OpenRows:
    """The last row written for each job, as long as another slot that did not run may make it longer.

    The order is that of writing: by slots a row could bridge a run that is still going on. Rows written before a
    restart are not made longer.
    """

    def __init__(self) -> None:
        #: By job, with its id; while there are none, runs change nothing here.
        self.rows: dict[str, tuple[int, Record]] = {}

    def clear(self) -> None:
        """Forget all rows after a rollback; the next records get new rows."""
        self.rows.clear()

    def extension(self, record: Record) -> RowExtension | None:
        """Return the row that `record` makes longer, or None where it needs a row of its own."""
        if record.binding not in self.rows:
            return None
        number, before = self.rows[record.binding]
        after = extend(before, record)
        return None if after is None else RowExtension(number, before, after)

    def track(self, record: Record, number: int = 0) -> None:
        """Track the row written for a record; a run, or a row shared by several jobs, closes the open one."""
        if record.verdict not in NOT_RUN:
            if self.rows:
                self.rows.pop(record.binding, None)
        elif record.sharers:
            for job in record.sharers:
                self.rows.pop(job, None)
        else:
            self.rows[record.binding] = (number, record)


class FoldedRow(NamedTuple):
    """The columns of a stored row that folding needs; instants in microseconds."""

    id: int
    job: str
    verdict: str
    slot: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which is not used on a row
    until: int


class HourFold:
    """Folds the rows of a job, verdict and hour into one; takes rows in the order of their slots, in any portions."""

    def __init__(self) -> None:
        self._hour: int | None = None
        self._groups: dict[tuple[str, str], FoldedRow] = {}

    def fold(self, rows: Iterable[FoldedRow]) -> tuple[list[FoldedRow], list[int]]:
        """Return the rows that grew, with their new values, and the ids of the rows folded into them."""
        grown: dict[int, FoldedRow] = {}
        gone: list[int] = []
        for row in rows:
            first = self._first(row)
            if first is not row:
                longer = first._replace(count=first.count + row.count, until=max(first.until, row.until))
                grown[first.id] = self._groups[row.job, row.verdict] = longer
                gone.append(row.id)
        return list(grown.values()), gone

    def _first(self, row: FoldedRow) -> FoldedRow:
        if row.slot // HOUR != self._hour:
            self._hour = row.slot // HOUR
            self._groups.clear()
        return self._groups.setdefault((row.job, row.verdict), row)
