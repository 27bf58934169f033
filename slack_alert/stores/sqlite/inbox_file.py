"""The inbox: a small database file in which other processes leave requests for the owner of the database.

It is in rollback mode, so any number of processes may write; nothing here needs the owner's lock.
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
from slack_alert.core.model.request import Request
from slack_alert.core.structs import from_plain, replace
from slack_alert.engine.requests.external_runs import is_same_execution
from slack_alert.stores.files.exec_marker import LeftMarkers
from slack_alert.stores.files.paths import prepare_folder, set_aside
from slack_alert.stores.sql.rows import clean, micros, moment
from slack_alert.stores.sqlite.connection import Damaged, connect, transaction, translated_errors

log = logging.getLogger(__name__)

_HAS_TABLE = "SELECT count(*) FROM sqlite_master WHERE name = 'request'"
_TABLE = """
    CREATE TABLE request (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, payload TEXT NOT NULL, at BIGINT NOT NULL)"""
#: Ids start at the first request's instant in microseconds. After the file was removed, ids starting at 1 would repeat
#: ids that the database has recorded as carried out.
_FIRST = "INSERT INTO sqlite_sequence (name, seq) VALUES ('request', ?)"
_PUT = "INSERT INTO request (kind, payload, at) VALUES (?, ?, ?)"
_ALL = "SELECT kind, payload, at, id FROM request ORDER BY id"
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'request'"
_REMOVE = "DELETE FROM request WHERE id = ?"

#: So many calls of `peek` trust the file's time; the next one reads the file in any case.
_UNREAD_CALLS = 20

_Mark = tuple[int, int, int]


class SqliteInbox:
    """Inbox in a file; each call opens the file anew, so no process keeps it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._leftovers = LeftMarkers(path)
        self._mark: _Mark | None = None
        self._glances = 0
        self._looks = 0
        self._known: list[Request] = []

    def add(self, *requests: Request) -> int:
        """Add requests, all or none; they are durable when this returns. Raise StoreError if that fails.

        Return the id of the last one; 0 for none. A damaged file is set aside, and the requests go into a new one.
        """
        rows = [(clean(each.kind), json.dumps(dict(each.payload)), micros(each.at)) for each in requests]
        if not rows:
            return 0
        prepare_folder(self._path)
        try:
            return self._write(rows)
        except Damaged as error:
            kept = set_aside(self._path)
            log.warning("a damaged inbox was set aside", extra={"file": str(kept), "reason": str(error)})
            return self._write(rows)

    def _write(self, rows: list[tuple[str, str, int]]) -> int:
        with self._writing("rwc") as connection:
            if not _has_table(connection):
                connection.execute(_TABLE)
                connection.execute(_FIRST, (min(at for _, _, at in rows),))
            connection.executemany(_PUT, rows)
            return int(connection.execute(_LAST).fetchone()[0])

    def peek(self) -> list[Request]:
        """Return the requests, oldest first; an unchanged file is mostly not opened.

        A request that cannot be read is logged and removed. The markers of programs that were cut off are collected
        by the first call, and by some later ones. A damaged file is set aside: SetAside is raised, and the next call
        finds an empty inbox.
        """
        try:
            return self._poll()
        except Damaged as error:
            kept = set_aside(self._path)
            if kept is None:
                return []
            raise SetAside(
                f"The inbox, through which commands reach this program, was damaged and is kept as {kept}. "
                "What they had left in it and was not done yet has to be asked for again."
            ) from error

    def _poll(self) -> list[Request]:
        if self._looks % _UNREAD_CALLS == 0:
            self._leftovers.hand_over(self._add_once)
        self._looks += 1
        mark = _mark(self._path)
        if mark is None:
            return []
        if mark != self._mark or self._glances >= _UNREAD_CALLS:
            self._known = self._read()
            # The mark is from before the reading: a write since then has changed it, so the next call reads again.
            self._mark = mark
            self._glances = 0
        self._glances += 1
        return list(self._known)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove requests that were committed elsewhere; their ids are not used again."""
        gone = [(number,) for number in ids]
        if gone and _mark(self._path) is not None:
            with self._writing("rw") as connection:
                connection.executemany(_REMOVE, gone)
            self._mark = None

    def _add_once(self, request: Request) -> None:
        """Add the request of a marker, unless the inbox has one of the same execution: a kill may leave both."""
        left = self._read() if _mark(self._path) is not None else []
        if not any(is_same_execution(request, one) for one in left):
            self.add(request)

    def _read(self) -> list[Request]:
        found = {row[-1]: _request(row) for row in _rows(self._path, "rw")}
        self._discard([number for number, request in found.items() if request is None])
        return [request for request in found.values() if request is not None]

    def _discard(self, ids: list[int]) -> None:
        """Remove unreadable requests; they must not hold up the others."""
        for number in ids:
            log.warning("left out a request that cannot be read", extra={"inbox": str(self._path), "id": number})
        with suppress(StoreError):  # The next call tries it again.
            self.remove(ids)

    @contextmanager
    def _writing(self, mode: str) -> Iterator[sqlite3.Connection]:
        _mark(self._path)
        with translated_errors(self._path), closing(connect(self._path, mode)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            # One step above FULL: the end of the rollback journal is on the disk as well.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA secure_delete = ON").fetchall()  # What is asked for may hold secrets.
            with transaction(connection):
                before = _mark(self._path)
                yield connection
            _touch_forward(self._path, before)


class MemoryInbox:
    """Inbox within one process, for tests."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._last = 0

    def add(self, *requests: Request) -> int:
        """Add requests, and return the id of the last one."""
        for request in requests:
            self._last += 1
            self._requests[self._last] = replace(request, id=self._last)
        return self._last

    def peek(self) -> list[Request]:
        """Return the requests, oldest first."""
        return list(self._requests.values())

    def remove(self, ids: Iterable[int]) -> None:
        """Remove requests."""
        for number in ids:
            self._requests.pop(number, None)


def requests_in(path: Path, mode: str = "rw") -> list[Request]:
    """Return the requests in a file, oldest first, without removing any; unreadable ones are skipped."""
    found = map(_request, _rows(path, mode) if _mark(path) is not None else ())
    return [request for request in found if request is not None]


def _rows(path: Path, mode: str) -> list[tuple[Any, ...]]:
    # Mostly not read-only: the next process rolls back what a killed process left half-written.
    with translated_errors(path), closing(connect(path, mode)) as connection:
        connection.text_factory = _text
        return connection.execute(_ALL).fetchall() if _has_table(connection) else []


def _has_table(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute(_HAS_TABLE).fetchone()[0])


def _text(raw: bytes) -> str:
    # One bad byte must not make every request unreadable.
    return raw.decode("utf-8", "replace")


def _request(row: tuple[Any, ...]) -> Request | None:
    """Return the request in a row, or None where it is not readable as one."""
    kind, payload, at, number = row
    try:
        written = {"kind": kind, "payload": json.loads(payload), "at": moment(at), "id": number}
        return from_plain(written, Request)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _mark(path: Path) -> _Mark | None:
    """Return a mark that changes with the file's content, or None where there is no file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        advice = machine_lack(error) or "Give this user the right to read and write the file."
        raise StoreError(f"{path}: {error.strerror or error}. {advice}") from error
    if not S_ISREG(found.st_mode):  # Opening a pipe may wait for ever.
        raise Damaged(f"{path}: it is no file.")
    return found.st_ino, found.st_size, found.st_mtime_ns


def _touch_forward(path: Path, before: _Mark | None) -> None:
    """Move the file's time forward with each change: its clock ticks in milliseconds, too coarse for quick requests."""
    # For another user's file this fails, though the request was written; `peek` reads now and then in any case.
    with suppress(OSError, StoreError):
        after = _mark(path)
        if before is not None and after is not None and after[2] <= before[2]:
            os.utime(path, ns=(before[2] + 1, before[2] + 1))
