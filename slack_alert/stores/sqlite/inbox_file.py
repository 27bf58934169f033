"""Where other processes leave requests for the one that owns the database: a small file of its own.

It is kept in rollback mode, where any number of processes may write: nothing here needs the lock.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import SetAside, StoreError
from slack_alert.core.structs import replace
from slack_alert.engine.payload_fields import checked
from slack_alert.engine.ports import Request
from slack_alert.engine.requests.external_runs import is_same_execution
from slack_alert.stores.files.exec_marker import LeftMarkers
from slack_alert.stores.files.paths import prepare_folder, set_aside
from slack_alert.stores.sql.rows import clean, micros, moment
from slack_alert.stores.sqlite.connection import Damaged, connect, explained, transaction

log = logging.getLogger(__name__)

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
        self._leftovers = LeftMarkers(path)
        self._mark: _Mark | None = None
        self._glances = 0
        self._looks = 0
        self._known: list[Request] = []

    def add(self, *requests: Request) -> None:
        """Leave requests, all or none; durable when this returns. Raise StoreError where that cannot be.

        A damaged file is set aside first.
        """
        rows = [(clean(each.kind), json.dumps(dict(each.payload)), micros(each.at)) for each in requests]
        if not rows:
            return
        prepare_folder(self._path)
        try:
            self._write(rows)
        except Damaged as error:
            kept = set_aside(self._path)
            log.warning("a damaged inbox was set aside", extra={"file": str(kept), "reason": str(error)})
            self._write(rows)

    def _write(self, rows: list[tuple[str, str, int]]) -> None:
        with self._writing("rwc") as connection:
            if not _has_table(connection):
                connection.execute(_TABLE)
                connection.execute(_FIRST, (min(at for _, _, at in rows),))
            connection.executemany(_PUT, rows)

    def peek(self) -> list[Request]:
        """Return the requests left, oldest first; mostly without opening a file that has not changed.

        One that cannot be read is told and taken away. What a program left that was cut off is taken in at first, and
        now and then. A damaged file is set aside: then SetAside is raised, and the next look finds an empty inbox.
        """
        try:
            return self._look()
        except Damaged as error:
            kept = set_aside(self._path)
            if kept is None:
                return []
            raise SetAside(
                f"The inbox, through which commands reach this program, was damaged and is kept as {kept}. "
                "What they had left in it and was not done yet has to be asked for again."
            ) from error

    def _look(self) -> list[Request]:
        if self._looks % _GLANCES == 0:
            self._leftovers.hand_over(self._put_once)
        self._looks += 1
        mark = _mark(self._path)
        if mark is None:
            return []
        if mark != self._mark or self._glances >= _GLANCES:
            self._known = self._read()
            # The mark from before the reading: whoever wrote since then has changed it, so that is read next time.
            self._mark = mark
            self._glances = 0
        self._glances += 1
        return list(self._known)

    def remove(self, ids: Iterable[int]) -> None:
        """Take away requests that were committed elsewhere; their ids never come again."""
        gone = [(number,) for number in ids]
        if gone and _mark(self._path) is not None:
            with self._writing("rw") as connection:
                connection.executemany(_REMOVE, gone)
            self._mark = None

    def _put_once(self, request: Request) -> None:
        """Put what a note says, unless a request tells of the same run: a kill left the note beside it."""
        left = self._read() if _mark(self._path) is not None else []
        if not any(is_same_execution(request, one) for one in left):
            self.add(request)

    def _read(self) -> list[Request]:
        found = {row[-1]: _request(row) for row in _rows(self._path, "rw")}
        self._discard([number for number, request in found.items() if request is None])
        return [request for request in found.values() if request is not None]

    def _discard(self, ids: list[int]) -> None:
        """Take away what nobody can read; it must not hold up what can be read."""
        for number in ids:
            log.warning("left out a request that cannot be read", extra={"inbox": str(self._path), "id": number})
        with suppress(StoreError):  # The next look comes across them again.
            self.remove(ids)

    @contextmanager
    def _writing(self, mode: str) -> Iterator[sqlite3.Connection]:
        _mark(self._path)
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

    def add(self, *requests: Request) -> None:
        """Leave requests."""
        for request in requests:
            self._last += 1
            self._requests[self._last] = replace(request, id=self._last)

    def peek(self) -> list[Request]:
        """Return the requests left, oldest first."""
        return list(self._requests.values())

    def remove(self, ids: Iterable[int]) -> None:
        """Take away requests."""
        for number in ids:
            self._requests.pop(number, None)


def requests_in(path: Path, mode: str = "rw") -> list[Request]:
    """Return the requests left in a file, oldest first, and leave them there; what cannot be read is passed over."""
    found = map(_request, _rows(path, mode) if _mark(path) is not None else ())
    return [request for request in found if request is not None]


def _rows(path: Path, mode: str) -> list[tuple[Any, ...]]:
    # Mostly not read-only: what a killed process left half-written is rolled back by whoever comes next.
    with explained(path), closing(connect(path, mode)) as connection:
        connection.text_factory = _text
        return connection.execute(_ALL).fetchall() if _has_table(connection) else []


def _has_table(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute(_HAS_TABLE).fetchone()[0])


def _text(raw: bytes) -> str:
    # One bad byte must not make every request unreadable.
    return raw.decode("utf-8", "replace")


def _request(row: tuple[Any, ...]) -> Request | None:
    """Read a row; None: it is none of ours."""
    kind, payload, at, number = row
    try:
        read = json.loads(payload)
        at = checked(moment(at))
        return Request(kind, read, at, number) if isinstance(kind, str) and isinstance(read, dict) else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _mark(path: Path) -> _Mark | None:
    """Return what tells one content of the file from the next; None: there is no file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        advice = machine_lack(error) or "Give this user the right to read and write the file."
        raise StoreError(f"{path}: {error.strerror or error}. {advice}") from error
    if not S_ISREG(found.st_mode):  # Whoever opens a pipe may wait for ever.
        raise Damaged(f"{path}: it is no file.")
    return found.st_ino, found.st_size, found.st_mtime_ns


def _advance(path: Path, before: _Mark | None) -> None:
    """Let the file's time grow with each change: its clock ticks in milliseconds, too coarse for two quick requests."""
    # It may be another user's file, and what was written counts; `peek` reads now and then in any case.
    with suppress(OSError, StoreError):
        after = _mark(path)
        if before is not None and after is not None and after[2] <= before[2]:
            os.utime(path, ns=(before[2] + 1, before[2] + 1))
