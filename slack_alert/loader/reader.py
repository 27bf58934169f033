"""Read plugin files once each, from the cache where nothing has changed."""

from __future__ import annotations

from pathlib import Path

from slack_alert.loader.cache import Cache
from slack_alert.loader.compiler import read_file
from slack_alert.loader.declaration import Reading
from slack_alert.loader.files import PluginFile, importable_names
from slack_alert.loader.source import UnusableFileError, read_content


class Reader:
    """Read the files of one plugins folder."""

    def __init__(self, markers: tuple[str, ...] = (), cache: Path | None = None) -> None:
        self._markers = markers
        self._cache = Cache(cache, markers) if cache else None
        self._neighbours: dict[str, frozenset[str]] = {}

    def read(self, file: PluginFile) -> Reading:
        """Read a file without running it."""
        try:
            content = read_content(file)
        except UnusableFileError as error:
            return Reading(problems=(error.problem,))
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

    def _names_beside(self, folder: str) -> frozenset[str]:
        if folder not in self._neighbours:
            self._neighbours[folder] = importable_names(folder)
        return self._neighbours[folder]
