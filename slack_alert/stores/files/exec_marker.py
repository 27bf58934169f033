"""Markers of running programs: a file beside the inbox that reports a program which was cut off."""

from __future__ import annotations

import glob
import json
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from slack_alert.core.errors import StoreError
from slack_alert.core.excerpts import abridged
from slack_alert.core.model.request import Request
from slack_alert.core.structs import from_plain, to_plain
from slack_alert.engine.system.file_ownership import open_new
from slack_alert.stores.files.lock import lock_file
from slack_alert.stores.files.paths import prepare_folder

log = logging.getLogger(__name__)

#: A process that reads a marker has its lock for a moment.
_LOCK_TIMEOUT = timedelta(seconds=1)


class ExecMarker:
    """A request in a file, to be submitted if this process ends before `remove`; the file's lock ends with it."""

    def __init__(self, inbox: Path, request: Request) -> None:
        """Write the marker beside the inbox; raise StoreError or OSError if that fails."""
        prepare_folder(inbox)
        self._path = inbox.with_name(f"{inbox.name}.exec-{uuid4().hex}")
        self._file = open_new(self._path)
        lock_file(self._file, self._path, _LOCK_TIMEOUT)
        os.write(self._file, json.dumps(to_plain(request)).encode())
        os.fsync(self._file)

    def remove(self) -> None:
        """Remove the marker: the program was not cut off."""
        os.ftruncate(self._file, 0)
        os.close(self._file)
        # Closed before it is removed, as some systems demand; found empty in between, it means nothing.
        self._path.unlink(missing_ok=True)


class LeftMarkers:
    """Finds the markers of processes that ended without removing them."""

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        #: Markers that a warning was logged for; they stay until a person removes them.
        self._unreadable: set[Path] = set()

    def hand_over(self, put: Callable[[Request], None]) -> None:
        """Call `put` once for the request of each marker left."""
        for path in self._found():
            self._hand_over_or_warn(path, put)

    def _hand_over_or_warn(self, path: Path, put: Callable[[Request], None]) -> None:
        """Hand over a marker's request; a failure must not hold up the inbox, and the next call tries it again."""
        try:
            self._hand_over(path, put)
        except (FileNotFoundError, StoreError):  # Removed just now; faults of the inbox are reported there.
            return
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._warn(path, error)

    def _found(self) -> list[Path]:
        try:
            return sorted(self._inbox.parent.glob(f"{glob.escape(self._inbox.name)}.exec-*"))
        except OSError:
            return []

    def _hand_over(self, path: Path, put: Callable[[Request], None]) -> None:
        file = os.open(path, os.O_RDWR)
        try:
            if lock_file(file, path) and (request := _read(file)) is not None:
                put(request)
                os.ftruncate(file, 0)  # A process that opened it meanwhile reads nothing.
                path.unlink(missing_ok=True)
        finally:
            os.close(file)

    def _warn(self, path: Path, error: Exception) -> None:
        if path not in self._unreadable:
            self._unreadable.add(path)
            said = {"note": str(path), "reason": abridged(f"{type(error).__name__}: {error}")}
            log.warning("left out a note that cannot be read; remove it", extra=said)


def _read(file: int) -> Request | None:
    """Return the request in a marker, or None where it was removed just now, or is not written yet."""
    written = os.read(file, os.fstat(file).st_size)
    if not written:
        return None
    return from_plain(json.loads(written), Request)
