"""Read plugin files once, from the cache if nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from slack_alert.core.catalog import Problem
from slack_alert.loader.files.content import UnusableFileError
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.files.sources import DiskSources
from slack_alert.loader.parsing.compiler import read_file
from slack_alert.loader.parsing.declaration import FileReading
from slack_alert.loader.reading.cache import ReadingCache
from slack_alert.loader.reading.prefetch import Prefetcher, is_possible

#: From this number of new files on, a second process is worth its start.
_MANY = 200


class FileReader:
    """Reads the files of a plugins folder."""

    def __init__(
        self, markers: tuple[str, ...] = (), cache: Path | None = None, disk: DiskSources | None = None
    ) -> None:
        self.disk = disk or DiskSources()
        self._markers = markers
        self._cache = ReadingCache(cache, markers) if cache else None
        self._prefetcher: Prefetcher | None = None
        self._neighbours: dict[str, frozenset[str]] = {}
        #: The contents of all files that were read here, by path.
        self.contents: dict[str, bytes] = {}
        #: The problems of the files that could not be read, by path.
        self.faults: dict[str, Problem] = {}

    def prefetch(self, files: Sequence[PluginFile]) -> None:
        """Start a second process that reads these files, if many of them are new."""
        new = self._cache.lacking(files) if self._cache else []
        if self._cache and len(new) >= _MANY and is_possible():
            with suppress(OSError):
                self._prefetcher = Prefetcher(new, self.read, self._cache.sealed)

    def read_all(self, files: Sequence[PluginFile]) -> Iterator[FileReading]:
        """Yield the readings of files in their order."""
        for file in files:
            if self._prefetcher and self._prefetcher.has_reached(file):
                self._learn(self._prefetcher)
            yield self.read(file)
        if self._prefetcher:
            self._learn(self._prefetcher)

    def read(self, file: PluginFile) -> FileReading:
        """Return the reading of a file without running it."""
        try:
            content = self.disk.content(file)
        except UnusableFileError as error:
            self.faults[file.path] = error.problem
            return FileReading(problems=(error.problem,))
        self.contents[file.path] = content
        neighbours = self._names_beside(file.folder)
        if self._cache is None:
            return read_file(file, content, markers=self._markers, neighbours=neighbours)
        key = self._cache.key(file, content, neighbours)
        reading = self._cache.get(file, key)
        if reading is None:
            reading = read_file(file, content, markers=self._markers, neighbours=neighbours)
            self._cache.store(file, key, reading)
        return reading

    def forget_neighbours(self) -> None:
        """Look again at the neighbours of the files that are read from now on."""
        self._neighbours.clear()

    def packed(self) -> Callable[[], None]:
        """Return a function that writes the readings into the cache; later reads do without it."""
        cache, self._cache = self._cache, None
        return cache.packed() if cache is not None else lambda: None

    def _learn(self, ahead: Prefetcher) -> None:
        self._prefetcher = None
        sealed = ahead.results()
        if self._cache is not None:
            self._cache.learn(sealed)

    def _names_beside(self, folder: str) -> frozenset[str]:
        if folder not in self._neighbours:
            self._neighbours[folder] = self.disk.names_beside(folder)
        return self._neighbours[folder]
