"""One way to open, read and reopen each kind of store; and what goes into them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from slack_alert.core.content.render import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryProgress, Message, Notice, RunPart, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch, Snapshot
from slack_alert.engine.ports import AuditKey, Reader, Store
from slack_alert.stores import SqliteReader, SqliteStore
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from slack_alert.stores.files.paths import audit_key_path
from slack_alert.stores.memory import MemoryStore

T = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
STORED = [verdict for verdict in Verdict if verdict is not Verdict.GO]
OPS = Address("slack", "#ops")
DEV = Address("slack", "#dev")


@dataclass
class Kit:
    """A store that is open, and a reader beside it."""

    path: Path | None
    store: Store = field(init=False)
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        if self.path is None:
            self.store = self.reader = MemoryStore()
        else:
            self.store, self.reader = SqliteStore(self.path), SqliteReader(self.path)
        self.store.open()

    def reopen(self) -> Snapshot:
        """End the program and start it again."""
        self.close()
        if self.path is not None:
            self.store, self.reader = SqliteStore(self.path), SqliteReader(self.path)
        return self.store.open()

    def close(self) -> None:
        self.store.close()
        self.reader.close()

    @property
    def audit_key(self) -> AuditKey:
        """What lies outside of the database."""
        if isinstance(self.store, MemoryStore):
            return self.store.audit_key
        assert self.path is not None
        return AuditKeyFile(audit_key_path(self.path))

    def enqueue(self, *messages: Message, at: datetime = T) -> list[Delivery]:
        return self.store.commit(Batch(messages=list(messages), at=at))

    def mark(
        self, number: int, status: Status, attempts: int = 1, *, at: datetime = T, receipt: str | None = None
    ) -> None:
        self.progress(DeliveryProgress(number, status, attempts, at, receipt))

    def progress(self, progress: DeliveryProgress) -> None:
        self.store.commit(Batch(progress=[progress]))

    def record(self, *records: Record) -> None:
        self.store.commit(Batch(records=list(records)))

    def records(self) -> list[Record]:
        return [line.record for line in self.reader.history(job=None, since=None, limit=None)]

    def outbox(self) -> list[Delivery]:
        return list(self.reader.deliveries())

    def waiting(self, to: Address | None = None, after: int = 0, limit: int = 1000) -> list[str]:
        found = self.reader.waiting(None if to is None else str(to), after, limit)
        return [delivery.message.key for delivery in found]


def message(key: str, to: Address = OPS, piece: Piece | None = None, run: int | None = None) -> Message:
    return Message(key, to, piece or Text(key), Notice("kit", key) if run is None else RunPart("a", T, run))


def slots(verdict: Verdict, first: int, last: int, job: str = "a", every: timedelta = SECOND) -> list[Record]:
    """Return one record for each slot from the first-th to the last-th."""
    return [Record(n if verdict is Verdict.QUIET else 0, job, T + n * every, verdict) for n in range(first, last + 1)]


def shape(records: list[Record]) -> list[tuple[str, Verdict, int, int, int | None]]:
    """Return job, verdict, first second, count and last second of each."""
    return [
        (r.binding, r.verdict, (r.slot - T) // SECOND, r.count, None if r.until is None else (r.until - T) // SECOND)
        for r in records
    ]


def integrity(path: Path) -> str:
    """Return what SQLite finds when it looks through a whole file."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
