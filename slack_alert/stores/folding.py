"""When several rows of history may be told as one; pure, for every store alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from slack_alert.core.model.record import NOT_RUN, Record, Verdict, extend

#: What folds once there is too much of it; what was said, failed or missed stays as it is.
FOLDABLE = frozenset({Verdict.QUIET, *NOT_RUN} - {Verdict.MISSED})

#: In microseconds, as instants are stored.
HOUR = 3_600_000_000


def condense(records: Iterable[Record]) -> list[Record]:
    """Join what follows on itself, job by job; the order stays."""
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
    """A stored row that becomes longer."""

    id: int
    before: Record
    after: Record


class OpenRows:
    """The last row of each job in the order of writing, where a slot that did not run may make it longer.

    A slot order would bridge a run that is still going on; what was written before a restart is left as it is.
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, Record]] = {}

    def clear(self) -> None:
        """Forget all, because a transaction was rolled back; the next rows are new ones."""
        self._rows.clear()

    def are_moved_by(self, records: Iterable[Record]) -> bool:
        """Return whether these are to be looked at one by one: runs alone leave all as it is where no row is open."""
        return bool(self._rows) or not NOT_RUN.isdisjoint({record.verdict for record in records})

    def extension(self, record: Record) -> RowExtension | None:
        """Return the row that `record` makes longer, as it was and as it is then."""
        if record.binding not in self._rows:
            return None
        number, before = self._rows[record.binding]
        after = extend(before, record)
        return None if after is None else RowExtension(number, before, after)

    def follow(self, record: Record, number: int = 0) -> None:
        """Take note of the row a record has become; a run, and a row that others share, close what was there."""
        if record.verdict not in NOT_RUN:
            if self._rows:
                self._rows.pop(record.binding, None)
        elif record.sharers:
            for job in record.sharers:
                self._rows.pop(job, None)
        else:
            self._rows[record.binding] = (number, record)


class FoldedRow(NamedTuple):
    """What folding needs to know of a stored row; instants in microseconds."""

    id: int
    job: str
    verdict: str
    slot: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs of a row
    until: int


class HourFold:
    """Rows of one job, verdict and hour become one; fed with rows in the order of their slots, in any portions."""

    def __init__(self) -> None:
        self._hour: int | None = None
        self._groups: dict[tuple[str, str], FoldedRow] = {}

    def fold(self, rows: Iterable[FoldedRow]) -> tuple[list[FoldedRow], list[int]]:
        """Return the rows that grew, as they are now, and the ids of those they swallowed."""
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
