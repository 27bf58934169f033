"""The journal: messages and results in a file until they are committed, from which the start after a kill recovers.

The system's cache outlives a process, so nothing here waits for a disk; a power failure loses what is not committed.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from threading import Lock
from zlib import crc32

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.core.model.run import Returned
from slack_alert.core.structs import Unreadable
from slack_alert.engine.batches import Batch
from slack_alert.engine.system.file_ownership import hand_over
from slack_alert.stores.files.serialization import packed, unpacked

log = logging.getLogger(__name__)

#: Before each entry: its length and its checksum, zeros after the last entry.
_HEAD = struct.Struct(">II")
_END = bytes(_HEAD.size)
#: In bytes. The file starts small, as all of it may count as memory; it doubles up to a step, then grows by steps. What
#: needs more than the maximum is not kept before it is committed.
_MIN_SIZE = 1 << 17
_SIZE_STEP = 1 << 20
_MAX_SIZE = 64 * _SIZE_STEP


class FileJournal:
    """Journal in a file, of the only process that writes the database; any thread or greenlet may append.

    The file is mapped into memory: a system call would release the interpreter's lock, and each append would have to
    wait for it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._page: mmap | None = None
        #: Device and inode of the mapped file.
        self._identity: tuple[int, int] | None = None
        #: The offset of the next entry.
        self._end = 0
        #: The number of entries not released yet.
        self._waiting = 0
        self._has_warned = False

    def append(self, said: Batch | Returned) -> bool:
        """Append an entry; return False if that fails, and a kill before the commit loses it."""
        try:
            entry = packed(said)
        except (TypeError, ValueError, OverflowError):  # Half of a surrogate pair, or a value of another class.
            return False
        with self._lock:
            is_kept = self._append(_HEAD.pack(len(entry), crc32(entry)) + entry)
            self._waiting += is_kept
        return is_kept

    def release(self, count: int) -> None:
        """Release entries that were committed or superseded; once none is left, the file starts anew."""
        with self._lock:
            self._waiting -= count
            if self._waiting == 0 and self._end > 0:
                self._restart()

    def restore(self) -> None:
        """Write the file anew where it was removed: a kill would lose its entries."""
        with self._lock:
            page = self._page
            if page is None or _identity(self._path) == self._identity:
                return
            kept = bytes(page[: self._end + len(_END)])
            self._unmap()
            if (page := self._grow(len(kept))) is not None:
                page[: len(kept)] = kept
        log.warning("what is being said was removed while running; it is written anew", extra={"file": str(self._path)})

    def close(self) -> None:
        """Close the file, and remove it where no entry is waiting."""
        with self._lock:
            self._unmap()
            if self._waiting == 0:
                with suppress(OSError):  # A start recognizes what was committed.
                    self._path.unlink()

    def _restart(self) -> None:
        used = self._end + len(_END)
        self._end, self._has_warned = 0, False
        if self._page is not None:
            self._page[:used] = bytes(used)  # What people asked for may hold secrets.
            if len(self._page) > _SIZE_STEP:
                self._unmap()

    def _append(self, entry: bytes) -> bool:
        end = self._end + len(entry)
        page = self._page
        if page is None or end + len(_END) > len(page):
            page = self._grow(end + len(_END))
        if page is None:
            return False
        page[self._end : end + len(_END)] = entry + _END
        self._end = end
        return True

    def _grow(self, least: int) -> mmap | None:
        """Enlarge the file; it is filled with zeros, because mapped memory over a full disk would end the process."""
        size = _MIN_SIZE
        while size < least:
            size += min(size, _SIZE_STEP)
        if size > _MAX_SIZE:
            self._warn_once(f"more than {_MAX_SIZE:,} bytes wait to be committed")
            return None
        self._unmap()
        try:
            if not self._end:  # A new file: truncating one would end any process that has it mapped.
                self._path.unlink(missing_ok=True)
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                hand_over(file.fileno(), self._path.parent, is_private=True)
                file.seek(0, os.SEEK_END)
                file.write(bytes(max(0, size - file.tell())))
                file.flush()
                self._page = mmap(file.fileno(), size)
                self._identity = _identity(self._path)
        except OSError as error:
            self._warn_once(str(error))
        return self._page

    def _unmap(self) -> None:
        if self._page is not None:
            self._page.close()
        self._page = None

    def _warn_once(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning("a kill may lose what is being said", extra={"file": str(self._path), "reason": reason})


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - called twice a second
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_journal(path: Path) -> None:
    """Remove a journal that was recovered."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _recovery_error(path, error) from error


def read_journal(path: Path, *, is_alive: bool = False) -> Iterator[Batch | Returned]:
    """Yield the entries of a journal, oldest first, up to one that is damaged or was being written.

    An unfinished entry is logged, unless the process `is_alive`: it may be writing at this moment.
    """
    written = _read(path)
    place = 0
    while place + _HEAD.size <= len(written):
        length, checksum = _HEAD.unpack_from(written, place)
        place += _HEAD.size
        entry = written[place : place + length]
        if not (length or checksum):
            return
        if len(entry) < length or crc32(entry) != checksum:
            if is_alive:
                return
            log.warning("left out what is damaged", extra={"file": str(path), "from_byte": place - _HEAD.size})
            return
        place += length
        try:
            yield unpacked(entry)
        except (Unreadable, KeyError, TypeError, ValueError) as error:
            log.warning("left out what another version kept", extra={"file": str(path), "reason": str(error)})


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # Reading a pipe or a device may never end.
            raise FileExistsError(errno.EEXIST, "It is no file")
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _recovery_error(path, error) from error


def _recovery_error(path: Path, error: OSError) -> StoreError:
    advice = machine_lack(error) or "Give this user the right to read and remove the file, or move it away."
    return StoreError(f"{path}: what was said before a kill cannot be taken up: {error.strerror or error}. {advice}")
