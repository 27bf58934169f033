"""A database in memory, for dry runs and tests: an SQLite database that ends with its owner."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from weakref import finalize

from slack_alert.core.model.audit import AuditHead
from slack_alert.core.model.message import Delivery
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.stores.sqlite.connection import open_memory
from slack_alert.stores.sqlite.reader import SqliteReader
from slack_alert.stores.sqlite.store import SqliteStore

_PLACE = Path(":memory:")


class MemoryAuditKey:
    """A key that is gone with the process, and the last entry that was chained with it."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(32).encode()
        self._head: AuditHead | None = None

    def key(self, *, is_first: bool) -> bytes:  # noqa: ARG002 - as keys in files
        """Return the key."""
        return self._key

    def head(self) -> AuditHead | None:
        """Return the last entry that was kept."""
        return self._head

    def keep(self, head: AuditHead) -> None:
        """Remember the last entry."""
        self._head = head


class MemoryStore(SqliteReader):
    """Store and Reader of one process; closing it keeps everything, so that opening it again acts as a restart."""

    def __init__(self) -> None:
        writing, reading = open_memory()
        super().__init__(_PLACE, opened=reading)
        #: The key of the record of what people asked for.
        self.audit_key = MemoryAuditKey()
        self._store = SqliteStore(_PLACE, self.audit_key, opened=writing)
        for connection in (writing, reading):
            finalize(self, connection.close)

    def open(self) -> Snapshot:
        """Return the snapshot a run begins with."""
        self._store.forget()
        return self.snapshot()

    def commit(self, batch: Batch) -> list[Delivery]:
        """Write all of the batch or nothing."""
        return self._store.commit(batch)

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        """Delete and fold history beyond the limits."""
        self._store.prune(now, limits)

    def close(self) -> None:
        """Do nothing: all is kept for the next `open`."""
