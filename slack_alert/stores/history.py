"""How records become rows: a slot that did not run makes the row before it longer where they are alike."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from slack_alert.core.model import NOT_RUN, Record
from slack_alert.stores import sql
from slack_alert.stores.codec import Row, end_of, record_row
from slack_alert.stores.folding import Tails, condense


class History:
    """Writes records, inside the caller's transaction."""

    def __init__(self) -> None:
        self._tails = Tails()

    def forget(self) -> None:
        """Forget which rows were last, because a transaction was rolled back."""
        self._tails.clear()

    def add(self, connection: Connection, records: Iterable[Record]) -> None:
        """Write records; runs all at once, the others make rows longer."""
        rows: list[Row] = []
        for record in condense(records):
            if record.verdict not in NOT_RUN:
                rows.append(record_row(record))
                self._tails.follow(record)
            elif not self._extend(connection, record):
                number = connection.execute(sql.ADD_RECORD, record_row(record)).lastrowid
                self._tails.follow(record, number or 0)
        if rows:
            connection.executemany(sql.ADD_RECORD, rows)

    def _extend(self, connection: Connection, record: Record) -> bool:
        """Make the job's last row longer, unless it was folded or forgotten meanwhile."""
        extension = self._tails.extension(record)
        if extension is None:
            return False
        number, before, after = extension
        change = (after.count, end_of(after), number, before.count, end_of(before))
        if connection.execute(sql.EXTEND_RECORD, change).rowcount == 0:
            return False
        self._tails.follow(after, number)
        return True
