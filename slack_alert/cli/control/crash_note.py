"""Keep a marker on the disk while a command runs; the command runs even if the marker cannot be written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slack_alert.stores import ExecMarker

#: A command waits at most this long for its note: a disk that hangs must not keep a backup from running.
PATIENCE = timedelta(seconds=1)


class CrashNote:
    """A marker that a thread of its own writes, and that is removed however late it was written."""

    def __init__(self, write: Callable[[], ExecMarker | None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._note: ExecMarker | None = None
        self._is_over = False

    def begin(self) -> None:
        """Write the marker; return when it is on the disk, cannot be written, or takes too long."""
        thread = threading.Thread(target=self._begin, name="note", daemon=True)
        thread.start()
        thread.join(PATIENCE.total_seconds())

    def take_back(self) -> None:
        """Remove the marker, even if it is written only later; a second call does nothing."""
        with self._lock:
            self._is_over = True
            note, self._note = self._note, None
        _remove(note)

    def _begin(self) -> None:
        with suppress(Exception):  # The command runs, whatever is wrong here; it is reported at its end.
            note = self._write()
            with self._lock:
                is_late = self._is_over
                self._note = None if is_late else note
            if is_late:
                _remove(note)


def _remove(note: ExecMarker | None) -> None:
    if note is not None:
        with suppress(OSError):
            note.remove()
