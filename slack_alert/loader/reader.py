"""Read plugin files once each, from the cache where nothing has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import BuiltinFunctionType

from slack_alert.core.catalog import Problem
from slack_alert.loader.cache import Cache
from slack_alert.loader.compiler import read_file
from slack_alert.loader.declaration import Reading
from slack_alert.loader.disk import Disk
from slack_alert.loader.files import PluginFile
from slack_alert.loader.source import UnusableFileError

#: So many new files are worth a second process.
_MANY = 200


class Reader:
    """Read the files of one plugins folder."""

    def __init__(self, markers: tuple[str, ...] = (), cache: Path | None = None, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self._markers = markers
        self._cache = Cache(cache, markers) if cache else None
        self._neighbours: dict[str, frozenset[str]] = {}
        #: By path, all that was read here.
        self.contents: dict[str, bytes] = {}
        #: Likewise what could not be read, and why.
        self.faults: dict[str, Problem] = {}

    def read_all(self, files: Sequence[PluginFile]) -> Iterator[Reading]:
        """Read files in their order; of many new ones a second process reads the latter half meanwhile."""
        new = self._cache.lacking(files) if self._cache else []
        theirs = new[len(new) // 2 :] if len(new) >= _MANY and _can_fork() else []
        readings = self._read_apart(theirs) if theirs else None
        for file in files:
            if readings is not None and file is theirs[0]:
                self._learn(*readings)
            yield self.read(file)

    def read(self, file: PluginFile) -> Reading:
        """Read a file without running it."""
        try:
            content = self.disk.content(file)
        except UnusableFileError as error:
            self.faults[file.path] = error.problem
            return Reading(problems=(error.problem,))
        self.contents[file.path] = content
        neighbours = self._names_beside(file.folder)
        if self._cache is None:
            return read_file(file, content, markers=self._markers, neighbours=neighbours)
        key = self._cache.key(file, content, neighbours)
        reading = self._cache.get(file, key)
        if reading is None:
            reading = read_file(file, content, markers=self._markers, neighbours=neighbours)
            self._cache.put(file, key, reading)
        return reading

    def keep(self) -> None:
        """Write what was read into the cache; what is read later, is read without it."""
        if self._cache is not None:
            self._cache.keep()
        self._cache = None

    def _read_apart(self, files: Sequence[PluginFile]) -> tuple[int, int] | None:
        """Let a child process read files; give its id, and the end of a pipe out of which its readings come."""
        readings, end = os.pipe()
        try:
            child = os.fork()
        except OSError:  # There are too many processes already.
            os.close(readings)
            os.close(end)
            return None
        if child:
            os.close(end)
            return child, readings
        try:
            for file in files:
                self.read(file)
            with open(end, "wb") as out:  # noqa: PTH123 - a descriptor
                out.write(self._cache.sealed() if self._cache else b"")
        finally:
            # Without the parent's clean-up; what is missing, the parent reads itself.
            os._exit(0)

    def _learn(self, child: int, readings: int) -> None:
        with open(readings, "rb") as pipe:
            sealed = pipe.read()
        os.waitpid(child, 0)
        if self._cache is not None:
            self._cache.learn(sealed)

    def _names_beside(self, folder: str) -> frozenset[str]:
        if folder not in self._neighbours:
            self._neighbours[folder] = self.disk.names_beside(folder)
        return self._neighbours[folder]


def _can_fork() -> bool:
    """Tell whether a second process is possible, safe and faster."""
    # Where there are threads it may hang, and a fork that is no longer Python's own belongs to somebody's loop.
    if not hasattr(os, "sched_getaffinity"):  # Only Linux, where forking is safe otherwise.
        return False
    is_safe = threading.active_count() == 1 and isinstance(os.fork, BuiltinFunctionType)
    return is_safe and len(os.sched_getaffinity(0)) > 1
