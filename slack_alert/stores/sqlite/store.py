"""The store in an SQLite file, for its only writer."""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.run import Returned
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.engine.durable_values import NUMBER_KEY, NUMBER_PACK, number_of
from slack_alert.engine.ports import AuditKey
from slack_alert.stores.files.journal import read_journal, remove_journal
from slack_alert.stores.files.paths import audit_key_path, journal_path, prepare_folder
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.records import RecordWriter
from slack_alert.stores.sql.rows import Row, clean, delivery_of, maybe_micros, message_rows, micros, queued_of
from slack_alert.stores.sql.writes import as_of, writes
from slack_alert.stores.sqlite import queries
from slack_alert.stores.sqlite.connection import (
    Unwritable,
    erasing,
    hold_write_lock,
    open_writer,
    release_write_lock,
    transaction,
    translated_errors,
)
from slack_alert.stores.sqlite.crash_recovery import ReachedSlots
from slack_alert.stores.sqlite.database_file import DatabaseFile, Rescued
from slack_alert.stores.sqlite.pruning import Pruning

if TYPE_CHECKING:
    from slack_alert.stores.sql.audit import AuditWriter

log = logging.getLogger(__name__)


class SqliteStore:
    """Store in an SQLite file, for its only writer, which must hold the `DatabaseLock`.

    It is not synchronized: calls come one after the other, from any native thread.
    """

    def __init__(
        self, path: Path, audit_key: AuditKey | None = None, *, opened: sqlite3.Connection | None = None
    ) -> None:
        self._path = path
        #: None: it lies beside the database.
        self._audit_key = audit_key
        #: Made when the first entry is written, as most programs have none.
        self._audit: AuditWriter | None = None
        self._opened = opened
        self._file: DatabaseFile | None = None
        self._is_full_sync: bool | None = None
        self._history = RecordWriter()
        self._pruning = Pruning()

    def open(self) -> Snapshot:
        """Create or migrate the file, recover the journal and return a snapshot; raise StoreError if that fails."""
        self.close()
        prepare_folder(self._path)
        self._opened = open_writer(self._path)
        try:
            self._file = DatabaseFile(self._path)
            self._recover_journal()
            release_write_lock(self._opened)
            self._catch_up_audit()
            with translated_errors(self._path):
                return queries.snapshot(self._opened)
        except BaseException:
            self.close()
            raise

    def commit(self, batch: Batch) -> list[Delivery]:
        """Write all of the batch or nothing; raise StoreError, after which the same batch may be tried again.

        Whatever it raises, nothing was written: a batch that was written and tried again would be recorded twice, and
        its messages would never be sent.
        """
        messages = message_rows(batch.messages, batch.at)
        summaries = message_rows(batch.summaries, batch.at)
        changes = writes(batch)
        connection = self._connection
        try:
            with translated_errors(self._path):
                self._sync(connection, is_full=batch.is_durable)
                # What people asked for may hold secrets.
                with erasing(connection, is_needed=bool(batch.settled or batch.asked)), transaction(connection):
                    self._history.watermarks.prepare(connection, batch.seen, as_of(batch))
                    for statement, rows in changes:
                        connection.executemany(statement, rows)
                    self._history.add(connection, batch.records)
                    self._history.watermarks.write_if_due(connection)
                    if batch.audit:
                        self._audit_writer.add(connection, batch.audit)
                    retried = _retry(connection, batch.retried, batch.at)
                    deliveries = retried + _enqueue(connection, messages, summaries)
        except BaseException:
            self.forget()
            raise
        self._follow_up(batch)
        return deliveries

    def _follow_up(self, batch: Batch) -> None:
        """Do what comes after a commit: it may fail, but then the batch must not be written once more."""
        try:
            hold_write_lock(self._connection)
            if batch.audit:
                self._audit_writer.keep_head()
        except Exception:
            log.exception("the work after a commit failed")

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        """Do a bounded part of the pruning, in small transactions; the next call continues where this one stopped."""
        connection = self._connection
        with translated_errors(self._path):
            self._sync(connection, is_full=False)
            self._write_watermarks(connection)
            self._pruning.run(connection, now, limits)
            with transaction(connection):
                self._history.job_groups.prune(connection)
                if limits.audit_days is not None:
                    self._audit_writer.prune(connection, now, limits.audit_days)
            hold_write_lock(connection)

    def _write_watermarks(self, connection: sqlite3.Connection) -> None:
        """Write the progress of jobs, before the records that tell it are deleted."""
        try:
            with transaction(connection):
                self._history.watermarks.prepare(connection, (), 0)
                self._history.watermarks.write(connection)
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        """Forget what is known of the file: the next commit reads it again."""
        self._history.forget()
        if self._audit is not None:
            self._audit.forget()

    def loss(self) -> str | None:
        """Return what happened to the file, or None where it is in its place. Any thread may call it."""
        return self._file.loss() if self._file is not None else None

    def rescue(self, now: datetime) -> Rescued:
        """Save what can be saved where the file is gone; afterwards the process must end without calling `close`."""
        assert self._file is not None, "it was opened"
        release_write_lock(self._connection)
        return self._file.rescue(self._connection, now)

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            release_write_lock(self._opened)
            self._opened.close()
        if self._file is not None:
            self._file.close()
        self._opened = self._file = None
        self._is_full_sync = None
        self.forget()
        self._audit = None

    def _catch_up_audit(self) -> None:
        with translated_errors(self._path):
            has_entries = self._connection.execute(statements.FIRST_AUDIT).fetchone() is not None
            if has_entries:
                self._audit_writer.catch_up(self._connection)

    @property
    def _audit_writer(self) -> AuditWriter:
        if self._audit is None:
            from slack_alert.stores.files.audit_key_file import AuditKeyFile
            from slack_alert.stores.sql.audit import AuditWriter

            self._audit = AuditWriter(self._audit_key or AuditKeyFile(audit_key_path(self._path)))
        return self._audit

    def _recover_journal(self) -> None:
        """Commit the journal of a process that was killed; what its runs returned is stored for the engine."""
        path = journal_path(self._path)
        left = list(read_journal(path))
        if left:
            self._commit_recovered(left)
        remove_journal(path)

    def _commit_recovered(self, left: list[Batch | Returned]) -> None:
        with translated_errors(self._path):
            reached = ReachedSlots(queries.seen(self._connection))
        returned = {one.run: one for one in left if isinstance(one, Returned)}
        batches = [one for one in left if isinstance(one, Batch)]
        count = sum(self._commit_batch(reached.with_unaccounted(one)) for one in batches if not self._is_committed(one))
        waiting = [one for one in returned.values() if not self._is_recorded(one.binding, one.slot, one.run)]
        if waiting:
            self.commit(Batch(returned=waiting))
        if count or waiting:
            log.warning("took up what was said before a kill", extra={"messages": count, "runs": len(waiting)})

    def _commit_batch(self, batch: Batch) -> int:
        try:
            return len(self.commit(batch))
        except Unwritable:
            log.exception("left out what cannot be written")
            return 0

    def _is_committed(self, batch: Batch) -> bool:
        """Return whether the batch was committed; its message may have been dropped since, or its value changed."""
        if batch.is_numbered:
            return number_of(batch.entries) <= self._last_number()
        with translated_errors(self._path):
            if self._connection.execute(statements.HAS_KEY, (clean(batch.messages[0].key),)).fetchone() is not None:
                return True
        return any(self._is_recorded(record.binding, record.slot, record.run) for record in batch.records)

    def _last_number(self) -> int:
        with translated_errors(self._path):
            found = self._connection.execute(statements.ENTRY, (NUMBER_PACK, NUMBER_KEY)).fetchone()
        return int(found[0]) if found else 0

    def _is_recorded(self, job: str, slot: datetime, run: int) -> bool:
        with translated_errors(self._path):
            found = self._connection.execute(statements.HAS_RECORD, (clean(job), micros(slot), run))
            return found.fetchone() is not None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise StoreError(f"{self._path}: the database is not open.")
        return self._opened

    def _sync(self, connection: sqlite3.Connection, *, is_full: bool) -> None:
        """Set whether a commit waits for the disk; SQLite takes the setting outside a transaction only."""
        if is_full is not self._is_full_sync:
            release_write_lock(connection)
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_full else 'NORMAL'}")
            self._is_full_sync = is_full


def _retry(connection: sqlite3.Connection, ids: list[int], at: datetime | None) -> list[Delivery]:
    created = maybe_micros(at)
    changed = [number for number in sorted(set(ids)) if _is_retried(connection, number, created)]
    return [delivery_of(connection.execute(statements.DELIVERY, (number,)).fetchone()) for number in changed]


def _is_retried(connection: sqlite3.Connection, number: int, created: int | None) -> bool:
    return connection.execute(statements.RETRY_DELIVERY, (created, number)).rowcount == 1


def _enqueue(connection: sqlite3.Connection, rows: list[Row], summaries: list[Row]) -> list[Delivery]:
    """Insert messages and return the new deliveries; as there is only one writer, these follow the last id."""
    if not rows and not summaries:
        return []
    last = connection.execute(statements.LAST_DELIVERY).fetchone()[0]
    added = connection.executemany(statements.ADD_DELIVERY, rows).rowcount
    if added == len(rows) and not summaries:
        # The delivery with the last id ever may have been dropped, so ids are counted from the end.
        first = connection.execute(statements.LAST_DELIVERY).fetchone()[0] - added + 1
        return [queued_of(number, row) for number, row in enumerate(rows, first)]
    connection.executemany(statements.PUT_SUMMARY, summaries)
    number = len(rows) + len(summaries)
    return [delivery_of(row) for row in connection.execute(statements.DELIVERIES, (last, number)).fetchall()]
