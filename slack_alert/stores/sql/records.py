"""Write records as rows: a slot that did not run extends the job's last row where the two are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from slack_alert.core.model.record import NOT_RUN, Record
from slack_alert.stores.folding import OpenRows, merge_consecutive
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.job_groups import JobGroups, expand_groups, read_newest
from slack_alert.stores.sql.rows import Row, clean, end_of, record_rows

#: The watermarks are written when the jobs have so many new records on average.
_RECORDS_PER_JOB = 10
_BEGINNING = -(2**63)


class Watermarks:
    """The newest slot of each job in records not yet in table `seen`, and the next record id; no id comes twice."""

    def __init__(self) -> None:
        #: The greatest id given so far; None until it was read from the file.
        self._last_id: int | None = None
        self._newest: dict[str, int] = {}
        #: The same of each group of jobs that share rows.
        self._shared: dict[str, int] = {}
        self._records = 0

    def forget(self) -> None:
        """Forget all after a rollback; it is read from the file again."""
        self._last_id = None

    def prepare(self, connection: Connection, jobs: Iterable[str], at: int) -> None:
        """Prepare for a batch made at `at` that itself states the progress of `jobs`."""
        if self._last_id is None:
            # The newest records may have been deleted; their ids are written to `book.reached` before that.
            self._last_id = max(connection.execute(statements.LAST_RECORD).fetchone())
            self._newest = read_newest(connection)
            self._shared = {}
            self.write(connection)
        # A wrong clock recorded slots in the future: the batch can only lower what is in the table.
        elif self._is_ahead(jobs, at):
            self.write(connection)

    @property
    def next_id(self) -> int:
        """Return the first id that no record ever had."""
        assert self._last_id is not None, "a batch begins first"
        return self._last_id + 1

    def advance(self, rows: Sequence[Row], groups: Iterable[str] = ()) -> None:
        """Advance past new rows, numbered from `next_id`; `groups` are the keys of groups among their jobs.

        The slot of a run that a person asked for does not count: it is none of the job's schedule.
        """
        if rows:
            self._last_id = rows[-1][_ID]
        self._records += len(rows)
        for row in rows:
            job, until = row[_JOB], row[_UNTIL]
            if until > self._newest.get(job, _BEGINNING) and row[_ASKED_BY] is None:
                self._newest[job] = until
        for key in groups:
            self._shared[key] = max(self._newest.pop(key, _BEGINNING), self._shared.get(key, _BEGINNING))

    def write_if_due(self, connection: Connection) -> None:
        """Write the watermarks once enough records have come since the last time."""
        if self._records >= _RECORDS_PER_JOB * max(1, len(self._newest) + len(self._shared)):
            self.write(connection)

    def write(self, connection: Connection) -> None:
        """Write the watermarks, inside the caller's transaction."""
        newest = expand_groups(connection, self._newest, self._shared)
        connection.executemany(statements.MOVE_SEEN, [(until, job, until) for job, until in newest.items()])
        connection.execute(statements.PUT_REACHED, (self._last_id,))
        self._newest = {}
        self._shared = {}
        self._records = 0

    def _is_ahead(self, jobs: Iterable[str], at: int) -> bool:
        """Return whether a new record of these jobs, or a record shared by several jobs, is later than `at`."""
        named = list(jobs)
        shared = self._shared.values() if named else ()
        return any(until > at for until in shared) or any(self._newest.get(clean(job), at) > at for job in named)


_COLUMNS = ("id", *statements.RECORD_COLUMNS.split(", "))
_ID, _JOB, _UNTIL, _ASKED_BY = map(_COLUMNS.index, ("id", "job", "until", "asked_by"))


class RecordWriter:
    """Writes records, inside the caller's transaction."""

    def __init__(self) -> None:
        self._open_rows = OpenRows()
        self.watermarks = Watermarks()
        self.job_groups = JobGroups()

    def forget(self) -> None:
        """Forget what is known of the file, after a rollback."""
        self._open_rows.clear()
        self.watermarks.forget()
        self.job_groups.forget()

    def add(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write records; new rows are inserted together."""
        if not records:
            return
        shared: list[str] = []
        first = self.watermarks.next_id
        new = list(records)
        if self._open_rows.rows or not NOT_RUN.isdisjoint({record.verdict for record in new}):
            new = self._extend_open_rows(connection, new, first, shared)
        rows = list(record_rows(new, first))
        connection.executemany(statements.ADD_RECORD, rows)
        self.watermarks.advance(rows, shared)

    def _extend_open_rows(
        self, connection: Connection, records: list[Record], first: int, shared: list[str]
    ) -> list[Record]:
        """Extend open rows where possible; return the records that need rows of their own, numbered from `first`."""
        new: list[Record] = []
        for record in merge_consecutive(records):
            if record.verdict in NOT_RUN:
                if record.sharers:
                    key = self.job_groups.key(connection, record.sharers, first + len(new))
                    record = record._replace(binding=key)  # noqa: PLW2901 - the row is stored under the group's key
                    shared.append(key)
                elif self._extend(connection, record):
                    continue
            self._open_rows.track(record, first + len(new))
            new.append(record)
        return new

    def _extend(self, connection: Connection, record: Record) -> bool:
        """Extend the job's last row; return False where it was folded or deleted meanwhile."""
        extension = self._open_rows.extension(record)
        if extension is None:
            return False
        number, before, after = extension
        change = (after.count, end_of(after), number, before.count, end_of(before))
        if connection.execute(statements.EXTEND_RECORD, change).rowcount == 0:
            return False
        # There is no new record from which a restart could read the job's progress.
        connection.execute(statements.MOVE_SEEN, (end_of(after), clean(record.binding), end_of(after)))
        self._open_rows.track(after, number)
        return True
