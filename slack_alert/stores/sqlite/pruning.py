"""Delete and fold history in small steps, each in its own transaction."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Connection

from slack_alert.engine.batches import HistoryLimits
from slack_alert.engine.requests.inbound_ids import REMEMBERED
from slack_alert.stores.folding import HOUR, FoldedRow, HourFold
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import micros
from slack_alert.stores.sqlite.connection import transaction

_DAY = 24 * HOUR
_ROWS = 5_000
_STEPS = 20
_PAGES = 2_000
_BEGINNING = -(2**63)


class Pruning:
    """Runs at most `steps` steps of `rows` rows per call, and remembers where folding stopped."""

    def __init__(self, *, rows: int = _ROWS, steps: int = _STEPS) -> None:
        self._rows = rows
        self._steps = steps
        #: The hour up to which everything is folded.
        self._folded = _BEGINNING

    def run(self, connection: Connection, now: datetime, limits: HistoryLimits) -> None:
        """Delete what is too old, fold rows beyond the limit, return free pages to the disk."""
        cutoff = max(_BEGINNING, micros(now) - limits.days * _DAY)
        with transaction(connection):
            for statement in statements.FORGET_ENDED:
                connection.execute(statement)
            for statement in statements.FORGET_LEFT:
                connection.execute(statement, (cutoff,))
        left = self._forget(connection, statements.FORGET_RECORDS, (cutoff, cutoff), self._steps)
        left = self._forget(connection, statements.FORGET_DELIVERIES, (cutoff,), left)
        left = self._forget(connection, statements.FORGET_EVENTS, (cutoff,), left)
        left = self._forget(connection, statements.FORGET_MANY_EVENTS, (limits.rows,), left)
        with transaction(connection):
            connection.execute(statements.FORGET_ENTRIES, (micros(now),))
            connection.execute(statements.FORGET_INBOUND, (micros(now - REMEMBERED),))
        self._fold(connection, limits.rows, left)
        _shrink(connection)

    def _forget(self, connection: Connection, statement: str, cutoff: tuple[int, ...], steps: int) -> int:
        """Delete in steps; return the number of steps left."""
        for left in range(steps, 0, -1):
            with transaction(connection):
                gone = connection.execute(statement, (*cutoff, self._rows)).rowcount
            if gone < self._rows:
                return left
        return 0

    def _fold(self, connection: Connection, keep: int, steps: int) -> None:
        boundary = connection.execute(statements.BOUNDARY, (keep,)).fetchone()
        if boundary is None:
            return
        fold = HourFold()
        after = (self._folded, 0)
        for _ in range(steps):
            page = (*after, *boundary, self._rows)
            rows = [FoldedRow(*row) for row in connection.execute(statements.FOLD_PAGE, page).fetchall()]
            _write(connection, *fold.fold(rows))
            # The hour in which it stops is folded again from its beginning: more rows of it may come.
            self._folded = (rows[-1].slot if rows else max(self._folded, boundary[0])) // HOUR * HOUR
            if len(rows) < self._rows:
                return
            after = (rows[-1].slot, rows[-1].id)


def _write(connection: Connection, grown: list[FoldedRow], gone: list[int]) -> None:
    if gone:
        with transaction(connection):
            connection.executemany(statements.GROW_RECORD, [(row.count, row.until, row.id) for row in grown])
            connection.executemany(statements.DROP_RECORD, [(number,) for number in gone])


def _shrink(connection: Connection) -> None:
    """Return free pages to the disk once they are a quarter of the file; the others are kept for the next rows."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    if free * 4 > connection.execute("PRAGMA page_count").fetchone()[0]:
        # With `execute` the cursor takes a single step, which frees one page; a script runs to its end.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
