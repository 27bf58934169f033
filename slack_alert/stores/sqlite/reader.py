"""A reader of the database, for processes other than its writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from slack_alert.core.events import KeptEvent
from slack_alert.core.model.audit import AuditAnchor, ChainedEntry
from slack_alert.core.model.message import Delivery, PostedDelivery, RunPart
from slack_alert.core.model.record import Verdict
from slack_alert.engine.batches import HistoryLine, Snapshot
from slack_alert.stores.sqlite import queries
from slack_alert.stores.sqlite.connection import open_reader, translated_errors

Answer = TypeVar("Answer")


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
        return self._ask(list[PostedDelivery](), queries.posted, run)

    def snapshot(self) -> Snapshot:
        """Return the snapshot that a run would begin with."""
        return self._ask(Snapshot(), queries.snapshot)

    def waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        """Return at most `limit` queued deliveries with ids above `after`, oldest first; None: of all addresses."""
        return self._ask(list[Delivery](), queries.waiting, address, after, limit)

    def last_receipt(self, address: str) -> str | None:
        """Return the receipt of the last message accepted at an address."""
        return self._ask(None, queries.last_receipt, address)

    def receipt(self, key: str) -> str | None:
        """Return the receipt of the message with this key, or None where it was not accepted."""
        return self._ask(None, queries.receipt, key)

    def ended(self, runs: Collection[RunPart]) -> Mapping[int, Verdict]:
        """Return how runs have ended, those that have."""
        return self._ask({}, queries.ended, runs)

    def event(self, number: int) -> KeptEvent | None:
        """Return an event by its id, or None if there is none."""
        return self._ask(None, queries.event, number)

    def caused_events(self, number: int) -> list[KeptEvent]:
        """Return the events that runs emitted which answered this one."""
        return self._ask(list[KeptEvent](), queries.caused_events, number)

    def events(self, *, after: int = 0, since: datetime | None = None, limit: int) -> list[KeptEvent]:
        """Return the newest `limit` events above an id, the oldest of them first."""
        return self._ask(list[KeptEvent](), partial(queries.events, after=after, since=since, limit=limit))

    def audit(
        self, *, since: datetime | None, limit: int | None, by: str | None = None, command: str | None = None
    ) -> Iterator[ChainedEntry]:
        """Yield the newest `limit` entries, oldest first; of one person, or of commands that begin with these words."""
        with translated_errors(self._path):
            if connection := self._connection():
                from slack_alert.stores.sqlite import audit_queries

                yield from audit_queries.newest(connection, since=since, limit=limit, by=by, command=command)

    def audit_chain(self) -> tuple[AuditAnchor | None, Iterator[ChainedEntry]]:
        """Return where the chain begins, and all entries as of one moment."""
        with translated_errors(self._path):
            connection = self._connection()
            if connection is None:
                return None, iter(())
            from slack_alert.stores.sqlite import audit_queries

            anchor, entries = audit_queries.chain(connection)
        return anchor, self._translated(entries)

    def _translated(self, entries: Iterator[ChainedEntry]) -> Iterator[ChainedEntry]:
        with translated_errors(self._path):
            yield from entries

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _ask(self, nothing: Answer, query: Callable[..., Answer], *arguments: object) -> Answer:
        """Return what a query answers; `nothing` where there is no file."""
        with translated_errors(self._path):
            connection = self._connection()
            return nothing if connection is None else query(connection, *arguments)

    def _connection(self) -> sqlite3.Connection | None:
        if self._opened is None:
            self._opened = open_reader(self._path, is_traceless=self._is_traceless)
        return self._opened
