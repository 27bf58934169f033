"""The lock that gives each database one owner: a system lock on a file beside it, released even by kill -9."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.core.structs import Struct
from slack_alert.engine.system.file_ownership import make_file
from slack_alert.stores.files.access_errors import is_there, not_allowed
from slack_alert.stores.files.paths import lock_path, prepare_folder

#: Between two attempts.
_PAUSE = timedelta(milliseconds=20)
#: A process that only checks for an owner holds the lock for a moment.
_GRACE = timedelta(milliseconds=60)


class DatabaseOwner(Struct, frozen=True):
    """The process that owns a database, and the note it published about itself."""

    pid: int
    note: str = ""


class DatabaseLock:
    """The right to write to a database; held until `release` or the end of the process, however it ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = lock_path(database)
        self._file: int | None = None
        self._said = b""
        self._is_registered = False

    def acquire(self, wait: timedelta = timedelta(), *, is_brief: bool = False, note: str = "") -> bool:
        """Acquire the lock, trying for as long as `wait`; return whether this call got it.

        A brief owner, of a single command, is not returned by `holder`: no requests can be left for it. `note` is a
        line that `owner` returns to anyone who may read the file; it must hold no secret.
        Raise StoreError if the file cannot be created or the file system has no locks.
        """
        if self._file is not None:
            return False
        prepare_folder(self._path)
        file = _open(self._path, os.O_RDWR, is_made=True)
        try:
            if _try_repeatedly(file, self._path, 1 + max(wait, _GRACE) // _PAUSE):
                self._keep(file, "" if is_brief else f"{os.getpid()}\n{note}\n")
        finally:
            if self._file is None:
                os.close(file)
        return self._file is not None

    def release(self) -> None:
        """Release the lock; the file stays, because after its removal two processes could hold the lock."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def is_intact(self) -> bool:
        """Return whether the lock is held on the file that others would open; it costs two system calls.

        Where the file or its folder was removed, a second process could lock a new one. An overwritten text is written
        again: it does not affect the lock, but `owner` reads it.
        """
        if self._file is None:
            return False
        try:
            held = os.fstat(self._file)
            if held.st_size != len(self._said):
                self._write()
            return os.path.samestat(self._path.stat(), held)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # It cannot be found out at the moment, which is no reason to end.
            return True

    def holder(self) -> int | None:
        """Return the id of the process that holds the lock, or None."""
        return holder(self._database)

    def _keep(self, file: int, said: str) -> None:
        self._file = file
        self._said = said.encode()
        self._write()
        if hasattr(os, "register_at_fork") and not self._is_registered:
            # A forked child shares the lock and would hold it after its parent was killed.
            os.register_at_fork(after_in_child=self.release)
            self._is_registered = True

    def _write(self) -> None:
        assert self._file is not None, "it is written by who holds it"
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, self._said)


def is_held(database: Path) -> bool:
    """Return whether a process owns a database, this one included.

    Raise NotAllowed if this user may not find out.
    """
    path = lock_path(database)
    if not is_there(path):
        return False
    try:
        file = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise not_allowed(path, "read") from error
    except OSError as error:
        raise _lock_error(path, error) from error
    try:
        return not _try_lock(file, path, is_shared=True)
    finally:
        os.close(file)


def owner(database: Path) -> DatabaseOwner | None:
    """Return the process that owns a database, or None; a brief owner does not count.

    Raise NotAllowed if this user may not find out.
    """
    if not is_held(database):
        return None
    try:
        said = lock_path(database).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    pid, _, note = said.strip().partition("\n")
    return DatabaseOwner(int(pid), note) if pid.isdecimal() else None


def holder(database: Path) -> int | None:
    """Return the id of the process that owns a database, or None where there is none, or its id is not written yet."""
    found = owner(database)
    return found.pid if found else None


def lock_file(file: int, path: Path, wait: timedelta = timedelta()) -> bool:
    """Lock an open file until it is closed, trying for as long as `wait`; return whether that succeeded.

    Raise StoreError if the file system has no locks.
    """
    return _try_repeatedly(file, path, 1 + wait // _PAUSE)


def _open(path: Path, flags: int, *, is_made: bool = False) -> int:
    try:
        if is_made and not path.exists():
            make_file(path)
        return os.open(path, flags)
    except OSError as error:
        raise _lock_error(path, error) from error


def _try_repeatedly(file: int, path: Path, attempts: int) -> bool:
    for attempt in range(attempts):
        if attempt:
            time.sleep(_PAUSE.total_seconds())
        if _try_lock(file, path):
            return True
    return False


def _try_lock(file: int, path: Path, *, is_shared: bool = False) -> bool:
    try:
        _lock(file, is_shared=is_shared)
    except (BlockingIOError, PermissionError):  # Windows raises PermissionError.
        return False
    except OSError as error:
        raise _lock_error(path, error) from error
    return True


if sys.platform == "win32":
    import msvcrt

    #: Far behind the text: Windows lets nobody read what is locked.
    _FAR = 1 << 30

    def _lock(file: int, *, is_shared: bool) -> None:  # noqa: ARG001 - Windows' C library has no shared locks
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int, *, is_shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock_error(path: Path, error: OSError) -> StoreError:
    advice = machine_lack(error) or "Give this user the right to write there, or set database to a local disk."
    return StoreError(f"{path}: the database cannot be locked: {error.strerror or error}. {advice}")
