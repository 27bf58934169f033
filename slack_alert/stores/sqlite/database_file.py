"""Notice that the opened database file was moved, replaced or overwritten, and rescue what can be saved."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from slack_alert.core.errors import StoreError
from slack_alert.core.structs import Struct
from slack_alert.engine.system.file_ownership import make_file
from slack_alert.stores.files.paths import aside_path, prepare_folder, set_aside

#: The first bytes of every database, and the place of the change counter in its header: it grows from one opening to
#: the next, and is 1 in a file made by VACUUM INTO.
_MAGIC = b"SQLite format 3\0"
_HEAD, _COUNTER = 100, slice(24, 28)
#: The files SQLite keeps beside the database; those of another database would corrupt it.
_BESIDE = ("-wal", "-shm")


class Rescued(Struct, frozen=True):
    """What was saved of a database that is gone."""

    #: The file it was saved to; None: nothing could be saved.
    path: Path | None
    #: Whether that is the original place.
    is_back: bool


class DatabaseFile:
    """The file a database was opened from. Any thread may call `loss`, while another one writes.

    Its descriptor stays open until `close`: closing any descriptor releases all locks of this process on the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None if sys.platform == "win32" else os.open(path, os.O_RDONLY)
        self._head = self._read()
        self._beside: dict[str, os.stat_result] = {}

    def loss(self) -> str | None:
        """Return what happened to the file, such as `was moved or deleted`, or None where it is in its place."""
        if self._file is None:
            return None
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "was moved or deleted"
        except OSError:  # It cannot be found out at the moment.
            return None
        if not os.path.samestat(found, os.fstat(self._file)):
            return "was replaced by another file"
        head, before = self._read(), self._head
        if _is_overwritten(before, head):
            return "was overwritten"
        self._head = head
        self._beside = {end: own for end in _BESIDE if (own := _stat(self._beside_path(end))) is not None}
        return None

    def rescue(self, connection: sqlite3.Connection, now: datetime) -> Rescued:
        """Save what the connection can still read, to the original path where that is free, else beside it.

        This process must not write there afterwards, and the connection must not be closed: SQLite would remove, by
        their names, the files that belong to the new database. A file at that path that is no database is set aside.
        """
        with suppress(StoreError):
            prepare_folder(self._path)
        kept = _copy(connection, aside_path(self._path, "rescued", now))
        self._remove_beside()
        if kept is not None and _is_no_database(self._path):
            with suppress(StoreError):
                set_aside(self._path)
        if kept is None or any(self._beside_path(end).exists() for end in _BESIDE):
            return Rescued(kept, is_back=False)
        try:
            os.link(kept, self._path)
        except OSError:  # Another file is there, or this file system has no links.
            return Rescued(kept, is_back=False)
        kept.unlink()
        return Rescued(self._path, is_back=True)

    def close(self) -> None:
        """Close the descriptor; to be called after the last connection is closed."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _read(self) -> bytes:
        return b"" if self._file is None else os.pread(self._file, _HEAD, 0)

    def _beside_path(self, end: str) -> Path:
        return self._path.with_name(f"{self._path.name}{end}")

    def _remove_beside(self) -> None:
        """Remove the files of the opened database: SQLite would take them for those of a new one."""
        for end, ours in self._beside.items():
            found = _stat(self._beside_path(end))
            if found is not None and os.path.samestat(found, ours):
                with suppress(OSError):
                    self._beside_path(end).unlink()


def _is_overwritten(before: bytes, after: bytes) -> bool:
    """Return whether the content was replaced by another file's; a copy made since this opening is not noticed."""
    if not before.startswith(_MAGIC) or before == after:
        return False
    return not after.startswith(_MAGIC) or after[_COUNTER] < before[_COUNTER]


def _is_no_database(path: Path) -> bool:
    """Return whether the file was emptied, or overwritten with something that is no database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) != _MAGIC
    except OSError:
        return False


def _copy(connection: sqlite3.Connection, path: Path) -> Path | None:
    try:
        with suppress(OSError):  # SQLite itself fails then.
            make_file(path, is_closed=True)
        with closing(sqlite3.connect(path)) as target:
            connection.backup(target)
            is_whole = target.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error:
        is_whole = False
    if is_whole:
        return path
    with suppress(OSError):
        path.unlink()
    return None


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
