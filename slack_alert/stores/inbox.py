"""Where other processes leave requests for the one that owns the database: a small file of its own.

It is kept in rollback mode, where any number of processes may write: nothing here needs the lock.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from slack_alert.engine.ports import Request
from slack_alert.stores.codec import clean, micros, moment
from slack_alert.stores.connection import connect, explained, transaction
from slack_alert.stores.location import prepare_folder

_HAS_TABLE = "SELECT count(*) FROM sqlite_master WHERE name = 'request'"
_TABLE = """
    CREATE TABLE request (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, payload TEXT NOT NULL, at BIGINT NOT NULL)"""
#: Ids go on from the first request's instant in microseconds. A file that was removed and made anew would otherwise
#: give ids again that the database knows as carried out.
_FIRST = "INSERT INTO sqlite_sequence (name, seq) VALUES ('request', ?)"
_PUT = "INSERT INTO request (kind, payload, at) VALUES (?, ?, ?)"
_ALL = "SELECT kind, payload, at, id FROM request ORDER BY id"
_REMOVE = "DELETE FROM request WHERE id = ?"

#: So many looks are answered by the file's time alone; the next one reads, whatever the file system says.
_GLANCES = 20

_Mark = tuple[int, int, int]


class SqliteInbox:
    """Inbox in a file; each call opens it, so that any process may come and go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: _Mark | None = None
        self._glances = 0
        self._known: list[Request] = []

    def put(self, request: Request) -> None:
        """Leave a request; durable when this returns. Raise StoreError where that cannot be."""
        row = (clean(request.kind), json.dumps(dict(request.payload)), micros(request.at))
        prepare_folder(self._path)
        with self._writing("rwc") as connection:
            if not _has_table(connection):
                connection.execute(_TABLE)
                connection.execute(_FIRST, (micros(request.at),))
            connection.execute(_PUT, row)

    def peek(self) -> list[Request]:
        """Give the requests left, oldest first; where the file has not changed, without opening it."""
        mark = _mark(self._path)
        if mark is None:
            return []
        if mark != self._mark or self._glances >= _GLANCES:
            self._known = self._read()
            # Taken before reading: what comes meanwhile is read again.
            self._mark = mark
            self._glances = 0
        self._glances += 1
        return list(self._known)

    def remove(self, ids: Iterable[int]) -> None:
        """Take away requests that were committed elsewhere; their ids never come again."""
        gone = [(number,) for number in ids]
        if gone and self._path.exists():
            with self._writing("rw") as connection:
                connection.executemany(_REMOVE, gone)
            self._mark = None

    def _read(self) -> list[Request]:
        # Not read-only: what a killed process left half-written is rolled back by whoever comes next.
        with explained(self._path), closing(connect(self._path, "rw")) as connection:
            rows = connection.execute(_ALL).fetchall() if _has_table(connection) else []
        return [Request(kind, json.loads(payload), moment(at), number) for kind, payload, at, number in rows]

    @contextmanager
    def _writing(self, mode: str) -> Iterator[sqlite3.Connection]:
        with explained(self._path), closing(connect(self._path, mode)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            # One step above FULL: the end of the rollback journal is on the disk as well.
            connection.execute("PRAGMA synchronous = EXTRA")
            with transaction(connection):
                before = _mark(self._path)
                yield connection
            _advance(self._path, before)


class MemoryInbox:
    """Inbox within one process, for tests."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._last = 0

    def put(self, request: Request) -> None:
        """Leave a request."""
        self._last += 1
        self._requests[self._last] = replace(request, id=self._last)

    def peek(self) -> list[Request]:
        """Give the requests left, oldest first."""
        return list(self._requests.values())

    def remove(self, ids: Iterable[int]) -> None:
        """Take away requests."""
        for number in ids:
            self._requests.pop(number, None)


def _has_table(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute(_HAS_TABLE).fetchone()[0])


def _mark(path: Path) -> _Mark | None:
    """Give what tells one content of the file from the next; None: there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _advance(path: Path, before: _Mark | None) -> None:
    """Let the file's time grow with each change: its clock ticks in milliseconds, too coarse for two quick requests."""
    after = _mark(path)
    if before is not None and after is not None and after[2] <= before[2]:
        with suppress(PermissionError):  # Another user's file; `peek` reads now and then in any case.
            os.utime(path, ns=(before[2] + 1, before[2] + 1))
