"""How records become rows: a slot that did not run makes the row before it longer where they are alike."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from slack_alert.core.model.record import NOT_RUN, Record
from slack_alert.stores.folding import Tails, condense
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.job_groups import Circles
from slack_alert.stores.sql.rows import clean, end_of, record_rows
from slack_alert.stores.sql.watermarks import Reach


class History:
    """Writes records, inside the caller's transaction."""

    def __init__(self) -> None:
        self._tails = Tails()
        self.reach = Reach()
        self.circles = Circles()

    def forget(self) -> None:
        """Forget which rows were last, because a transaction was rolled back."""
        self._tails.clear()
        self.reach.forget()
        self.circles.forget()

    def add(self, connection: Connection, records: Iterable[Record]) -> None:
        """Write records, the new rows all at once."""
        shared: list[str] = []
        first = self.reach.next_id
        new = list(records)
        if self._tails.are_moved_by(new):
            new = self._fold(connection, new, first, shared)
        rows = list(record_rows(new, first))
        connection.executemany(statements.ADD_RECORD, rows)
        self.reach.move(rows, shared)

    def _fold(self, connection: Connection, records: list[Record], first: int, shared: list[str]) -> list[Record]:
        """Make last rows longer where that is possible; return what needs rows of its own, numbered from `first`."""
        new: list[Record] = []
        for record in condense(records):
            if record.verdict in NOT_RUN:
                if record.sharers:
                    key = self.circles.key(connection, record.sharers, first + len(new))
                    record = record._replace(binding=key)  # noqa: PLW2901 - it is what follows
                    shared.append(key)
                elif self._extend(connection, record):
                    continue
            self._tails.follow(record, first + len(new))
            new.append(record)
        return new

    def _extend(self, connection: Connection, record: Record) -> bool:
        """Make the job's last row longer, unless it was folded or forgotten meanwhile."""
        extension = self._tails.extension(record)
        if extension is None:
            return False
        number, before, after = extension
        change = (after.count, end_of(after), number, before.count, end_of(before))
        if connection.execute(statements.EXTEND_RECORD, change).rowcount == 0:
            return False
        # It is no new record, from which a restart would read how far the job is accounted for.
        connection.execute(statements.MOVE_SEEN, (end_of(after), clean(record.binding), end_of(after)))
        self._tails.follow(after, number)
        return True
