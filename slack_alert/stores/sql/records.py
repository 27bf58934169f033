"""How records become rows: a slot that did not run makes the row before it longer where they are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from slack_alert.core.model.record import NOT_RUN, Record
from slack_alert.stores.folding import OpenRows, condense
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.job_groups import JobGroups, unfolded
from slack_alert.stores.sql.rows import Row, clean, end_of, record_rows

#: Written down when the jobs have so many new records on the average.
_SHARE = 10
_BEGINNING = -(2**63)


class Watermarks:
    """The last slot of each job's new records, and the ids of records, none of which is given twice."""

    def __init__(self) -> None:
        #: The greatest id given so far; None until the file was asked.
        self._last_id: int | None = None
        self._newest: dict[str, int] = {}
        #: The same of each circle, whose jobs share rows.
        self._shared: dict[str, int] = {}
        self._records = 0

    def forget(self) -> None:
        """Forget all, because a transaction was rolled back: the file knows."""
        self._last_id = None

    def prepare(self, connection: Connection, jobs: Iterable[str], at: int) -> None:
        """Get ready for a batch made at `at`, which has a word of its own on how far `jobs` are accounted for."""
        if self._last_id is None:
            # The newest records may be gone; that they were there is written down before any is taken away.
            self._last_id = max(connection.execute(statements.LAST_RECORD).fetchone())
            self._newest = unfolded(connection, dict(connection.execute(statements.REACHED).fetchall()))
            self._shared = {}
            self.write(connection)
        # A wrong clock noted what lies ahead: only what is written down gives way to the later word.
        elif self._lies_ahead(jobs, at):
            self.write(connection)

    @property
    def next_id(self) -> int:
        """The first of the ids that no record ever had."""
        assert self._last_id is not None, "a batch begins first"
        return self._last_id + 1

    def advance(self, rows: Sequence[Row], circles: Iterable[str] = ()) -> None:
        """Take note of new rows, numbered from `next_id`, and of the circles among their jobs.

        Those of runs that somebody asked for account for no slot.
        """
        if rows:
            self._last_id = rows[-1][_ID]
        self._records += len(rows)
        for row in rows:
            job, until = row[_JOB], row[_UNTIL]
            if until > self._newest.get(job, _BEGINNING) and row[_ASKED_BY] is None:
                self._newest[job] = until
        for key in circles:
            self._shared[key] = max(self._newest.pop(key, _BEGINNING), self._shared.get(key, _BEGINNING))

    def write_if_due(self, connection: Connection) -> None:
        """Write down what a batch moved, once it is worth it."""
        if self._records >= _SHARE * (len(self._newest) + len(self._shared)):
            self.write(connection)

    def write(self, connection: Connection) -> None:
        """Write it down, within the caller's transaction."""
        newest = unfolded(connection, {**self._newest, **self._shared})
        connection.executemany(statements.MOVE_SEEN, [(until, job, until) for job, until in newest.items()])
        connection.execute(statements.PUT_REACHED, (self._last_id,))
        self._newest = {}
        self._shared = {}
        self._records = 0

    def _lies_ahead(self, jobs: Iterable[str], at: int) -> bool:
        """Return whether a new record of these jobs, or any that many share, is later than `at`."""
        named = list(jobs)
        shared = self._shared.values() if named else ()
        return any(until > at for until in shared) or any(self._newest.get(clean(job), at) > at for job in named)


_COLUMNS = ("id", *statements.RECORD_COLUMNS.split(", "))
_ID, _JOB, _UNTIL, _ASKED_BY = map(_COLUMNS.index, ("id", "job", "until", "asked_by"))


class RecordWriter:
    """Writes records, inside the caller's transaction."""

    def __init__(self) -> None:
        self._tails = OpenRows()
        self.reach = Watermarks()
        self.circles = JobGroups()

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
        self.reach.advance(rows, shared)

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
