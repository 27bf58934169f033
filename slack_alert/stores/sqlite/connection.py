"""Open, migrate and write an SQLite file, and turn SQLite's errors into sentences for people."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import SlackAlertError, StoreError
from slack_alert.engine.system.file_ownership import make_file
from slack_alert.stores.files.access_errors import is_there, not_allowed
from slack_alert.stores.files.paths import read_only
from slack_alert.stores.sql.schema import STEPS, VERSION, views

_TYPE_NAMES = {"identity": "INTEGER PRIMARY KEY AUTOINCREMENT", "key": "INTEGER PRIMARY KEY", "bytes": "BLOB"}
_BUSY_SECONDS = 5.0


class Unwritable(SlackAlertError):
    """SQLite cannot write these values, however often it is tried; nothing was changed."""


class Damaged(StoreError):
    """The file is damaged or is no database; nothing can be read from it or written to it."""


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return sqlite3.sqlite_version


def connect(path: Path, mode: str, *, is_immutable: bool = False) -> sqlite3.Connection:
    """Return a connection to a file; mode `rwc` creates a missing file, `rw` and `ro` do not.

    For an immutable file SQLite assumes that no process writes, and creates no file beside it.
    """
    if mode == "rwc" and not path.exists():
        # Created beforehand, because SQLite lets all read it, and leaves root's files to root; files beside it get the
        # same rights and owner.
        with suppress(OSError):  # SQLite itself reports what is wrong.
            make_file(path, is_closed=True)
    # A URI, because only a URI takes a mode; as_uri() escapes `?`, `#` and `%` in a name.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if is_immutable else ''}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        # Calls come one after the other, but from any native thread.
        check_same_thread=False,
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all or nothing; the connection stays usable. A transaction that is already open is used."""
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has already rolled back after some errors.
            connection.execute("ROLLBACK")
        raise


def hold_write_lock(connection: sqlite3.Connection) -> None:
    """Take the write lock until the next transaction, so that no other program can delay the next commit.

    Readers are not blocked. Where another program has the lock now, the next transaction waits for it.
    """
    with suppress(sqlite3.OperationalError):
        connection.execute("BEGIN IMMEDIATE")


def release_write_lock(connection: sqlite3.Connection) -> None:
    """Release the write lock, with nothing written."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def erasing(connection: sqlite3.Connection, *, is_needed: bool) -> Iterator[None]:
    """Overwrite all that is deleted or replaced meanwhile, also whole pages, which costs writes of its own."""
    if not is_needed:
        yield
        return
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = FAST").fetchall()


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into sentences with the file, the fault and advice.

    StoreError may go away by itself: it is about the file, its disk or other programs. Unwritable is about the values.
    """
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        said = str(error)
        if isinstance(error, _VALUE_ERRORS) or _TOO_BIG in said:
            raise Unwritable(f"{path}: {said.rstrip('.')}. Nothing of this was written.") from error
        is_damaged = any(part in said for part in _DAMAGED)
        raise (Damaged if is_damaged else StoreError)(f"{path}: {said}. {_advice(path, error)}") from error


def _advice(path: Path, error: Exception) -> str:
    said = str(error)
    if ("readonly" in said or "unable to open" in said) and (lack := read_only(path)):
        return lack
    if "unable to open" in said and (lack := _descriptor_shortage()):
        return lack
    # Python 3.10 has no names of errors.
    name: str = getattr(error, "sqlite_errorname", "")
    if name.startswith(_NO_SHARED_MEMORY) or "locking protocol" in said:
        return _NO_NETWORK_DISK
    return next((advice for part, advice in _ADVICE.items() if part in said), _NOTHING_WRITTEN)


def _descriptor_shortage() -> str:
    """Return a sentence where no file descriptors are left, which SQLite reports as a file it cannot open; else ""."""
    opened: list[int] = []
    try:
        opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(_DESCRIPTORS_NEEDED))
    except OSError as error:
        return machine_lack(error)
    finally:
        for each in opened:
            os.close(each)
    return ""


#: The database, the files beside it, and the folder.
_DESCRIPTORS_NEEDED = 5


_NO_SHARED_MEMORY = "SQLITE_IOERR_SHM"
_NO_NETWORK_DISK = (
    "This file system has no shared memory or locks for the database, as those of networks and virtual machines (NFS, "
    "SMB, 9p, virtiofs): set `database` to a file on a local disk."
)


_VALUE_ERRORS = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
)
_TOO_BIG = "too big"


#: The last two mean a file of another program.
_DAMAGED = ("not a database", "malformed", "unsupported file format", "no such column", "has no column named")
_NOTHING_WRITTEN = "Nothing of this was written."
_ADVICE = {
    "disk is full": "Nothing of this was written; free some space on that disk.",
    "not a database": "Set database to another file, or move this one away and a new one is made.",
    "malformed": "The file is damaged: move it away and a new one is made, or put a backup in its place.",
    "readonly": "Nothing of this was written; give this user the right to write to the file and its folder.",
    "unable to open": "Give this user the right to read and write the file and its folder, or set database elsewhere.",
    "locked": "Nothing of this was written; another program keeps the file busy: close it.",
    "disk I/O": "Nothing of this was written; the disk may be full, or failing: look at the system's log. Where it "
    "is a file system of a network or a virtual machine (NFS, SMB, 9p), set `database` to a local disk.",
}


def known_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for an empty file; raise StoreError for a foreign file or a newer version."""
    # Tables and version are committed together: read in this order, tables without a version are foreign.
    has_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    version = _version(connection)
    if version > VERSION:
        raise StoreError(
            f"{path}: the database is of version {version}, this slack-alert knows {VERSION}. "
            "Install the newer slack-alert again, or set database to another file."
        )
    if has_tables and version == 0:
        raise StoreError(f"{path}: this is the database of another program. Set database to another file.")
    return version


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    """Migrate the schema to the current version, all steps or none."""
    with transaction(connection):
        for statement in (statement for step in STEPS[_version(connection) :] for statement in step):
            connection.execute(statement.format(**_TYPE_NAMES))
        connection.execute(f"PRAGMA user_version = {VERSION}")


def open_writer(path: Path) -> sqlite3.Connection:
    """Return the connection of the only writer, with the schema up to date."""
    with translated_errors(path):
        connection = connect(path, "rwc")
        try:
            is_behind = known_version(connection, path) < VERSION
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}").fetchall()
            if is_behind:
                _migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


#: Databases in memory are told apart by these.
_NUMBERS = count()


def open_memory() -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Return a connection to a new database in memory, and another one beside it, for reading."""
    place = f"file:slack-alert-{next(_NUMBERS)}?mode=memory&cache=shared"
    writing, reading = (
        sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False) for _ in range(2)
    )
    _migrate(writing)
    reading.execute("PRAGMA read_uncommitted = ON")  # A shared cache makes readers and the writer refuse each other.
    return writing, reading


#: Only an empty file takes auto_vacuum, so it comes first.
_PRAGMAS = (
    "auto_vacuum = INCREMENTAL",
    "journal_mode = WAL",
    "foreign_keys = ON",
    "journal_size_limit = 16777216",
    "secure_delete = FAST",
)


def open_reader(path: Path, *, is_traceless: bool = False) -> sqlite3.Connection | None:
    """Return a connection that cannot write, or None where nothing was ever written.

    A traceless connection creates no file beside the database either, unless a process has it open. Raise NotAllowed
    if this user may not read the file.
    """
    if not is_there(path):
        return None
    if not os.access(path, os.R_OK):
        raise not_allowed(path, "read")
    with translated_errors(path):
        connection = connect(path, "ro", is_immutable=_is_immutable(path, is_traceless=is_traceless))
        is_open = False
        try:
            version = known_version(connection, path)
            for statement in views(version):
                connection.execute(statement)
            is_open = version > 0
        finally:
            if not is_open:
                connection.close()
    return connection if is_open else None


def _is_immutable(path: Path, *, is_traceless: bool) -> bool:
    """Return whether the file is complete without a log, and SQLite must not, or cannot, create files beside it.

    A log beside the file belongs to a program that runs or was killed; without a log the last program ended in order.
    """
    may_make = not is_traceless and os.access(path.parent, os.W_OK)
    return not may_make and not path.with_name(f"{path.name}-wal").exists()
