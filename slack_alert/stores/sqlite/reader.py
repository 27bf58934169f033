"""A reader of the database, for processes other than its writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from slack_alert.core.model.message import Delivery, PostedDelivery
from slack_alert.engine.batches import HistoryLine, Snapshot
from slack_alert.stores.sqlite import queries
from slack_alert.stores.sqlite.connection import open_reader, translated_errors


class SqliteReader:
    """Reader for any process, while the writer runs or after it was killed; without a file everything is empty.

    It writes nothing and reads in pages, so that it never blocks the writer.
    """

    def __init__(self, path: Path, *, is_traceless: bool = False, opened: sqlite3.Connection | None = None) -> None:
        self._path = path
        self._is_traceless = is_traceless
        self._opened = opened

    def history(self, *, job: str | None, since: datetime | None, limit: int | None) -> Iterator[HistoryLine]:
        """Yield the newest `limit` lines, oldest first."""
        with translated_errors(self._path):
            if connection := self._connection():
                yield from queries.history(connection, job=job, since=since, limit=limit)

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the whole outbox, oldest first."""
        with translated_errors(self._path):
            if connection := self._connection():
                yield from queries.deliveries(connection)

    def posted(self, run: int) -> list[PostedDelivery]:
        """Return the deliveries of a run with their progress."""
        with translated_errors(self._path):
            connection = self._connection()
            return [] if connection is None else queries.posted(connection, run)

    def snapshot(self) -> Snapshot:
        """Return the snapshot that a run would begin with."""
        with translated_errors(self._path):
            connection = self._connection()
            return Snapshot() if connection is None else queries.snapshot(connection)

    def waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        """Return at most `limit` queued deliveries with ids above `after`, oldest first; None: of all addresses."""
        with translated_errors(self._path):
            connection = self._connection()
            return [] if connection is None else queries.waiting(connection, address, after, limit)

    def last_receipt(self, address: str) -> str | None:
        """Return the receipt of the last message accepted at an address."""
        with translated_errors(self._path):
            connection = self._connection()
            return None if connection is None else queries.last_receipt(connection, address)

    def receipt(self, key: str) -> str | None:
        """Return the receipt of the message with this key, or None where it was not accepted."""
        with translated_errors(self._path):
            connection = self._connection()
            return None if connection is None else queries.receipt(connection, key)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _connection(self) -> sqlite3.Connection | None:
        if self._opened is None:
            self._opened = open_reader(self._path, is_traceless=self._is_traceless)
        return self._opened
