"""Read many new files in a second process, from the last one on, while this one starts with the first."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType

from slack_alert.loader.files.discovery import PluginFile

# The indexes of the two positions in shared memory.
_OURS, _THEIRS = 0, 1


class Prefetcher:
    """The second process; both share their positions, so that each reads as much as it has time for."""

    def __init__(
        self, files: Sequence[PluginFile], read: Callable[[PluginFile], object], sealed: Callable[[], bytes]
    ) -> None:
        """Start to read; `sealed` packs what was read. Raise OSError if there are too many processes already."""
        self._positions = {file.path: position for position, file in enumerate(files)}
        self._places = memoryview(mmap.mmap(-1, 8)).cast("i")
        self._places[_OURS], self._places[_THEIRS] = -1, len(files)
        self._results, end = os.pipe()
        parent = os.getpid()
        try:
            self._child = os.fork()
            if not self._child:
                os.close(self._results)
                self._read(files, read, parent)
                with os.fdopen(end, "wb") as out:
                    out.write(sealed())
        except OSError:
            os.close(self._results)
            raise
        finally:
            if os.getpid() != parent:
                # Without the parent's clean-up; the parent reads itself what is missing.
                os._exit(0)
            os.close(end)

    def has_reached(self, file: PluginFile) -> bool:
        """Return whether the other process has read from this file on; both may read the file where they meet."""
        position = self._positions.get(file.path)
        if position is None:
            return False
        self._places[_OURS] = position
        return position >= self._places[_THEIRS]

    def results(self) -> bytes:
        """Wait for the readings of the other process and return them; empty if it failed."""
        with os.fdopen(self._results, "rb") as pipe:
            sealed = pipe.read()
        os.waitpid(self._child, 0)
        return sealed

    def _read(self, files: Sequence[PluginFile], read: Callable[[PluginFile], object], parent: int) -> None:
        for position in range(len(files) - 1, -1, -1):
            if position <= self._places[_OURS] or os.getppid() != parent:
                return
            self._places[_THEIRS] = position
            read(files[position])


def is_possible() -> bool:
    """Return whether a second process is possible, safe and faster."""
    # With threads a fork may hang, and a replaced `os.fork` belongs to some event loop (gevent).
    if not hasattr(os, "sched_getaffinity"):  # Only Linux, where forking is safe otherwise.
        return False
    is_safe = threading.active_count() == 1 and isinstance(os.fork, BuiltinFunctionType)
    return is_safe and len(os.sched_getaffinity(0)) > 1
