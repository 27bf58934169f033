"""Read plugin files from the disk, or from copies that were handed over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from slack_alert.core.units.names import composed
from slack_alert.loader.files.content import read_content
from slack_alert.loader.files.discovery import PluginFile, importable_names, is_installed


class DiskSources:
    """The plugin files on the disk."""

    def content(self, file: PluginFile) -> bytes:
        """Return the bytes of a file; raise UnusableFileError if it cannot be read."""
        return read_content(file)

    def names_beside(self, folder: str) -> frozenset[str]:
        """Return the modules that a file in this folder means when it imports them by their bare name."""
        return importable_names(folder)

    def is_file(self, path: str) -> bool:
        """Return whether the file exists."""
        return os.path.isfile(path)  # noqa: PTH113 - a Path for each file takes longer

    def is_folder(self, path: str) -> bool:
        """Return whether the folder exists."""
        return os.path.isdir(path)  # noqa: PTH112 - as above

    def spelled(self, folder: str, name: str) -> str:
        """Return how a name is spelled in a folder, whose Unicode form may differ from the normal one."""
        return _spelled(name, () if name.isascii() else _names_in(folder))


class CopiedSources(DiskSources):
    """Copies of plugin files that were handed over; other files are read from the disk once and kept."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}
        self._folders: frozenset[str] = frozenset()
        self._found: dict[str, bytes] = {}
        #: The part of `_found` that `newly_read` has not returned yet.
        self._untold: dict[str, bytes] = {}

    def replace(self, changed: Mapping[str, bytes | None]) -> None:
        """Replace copies by newer contents; None: the file no longer exists."""
        for path, content in changed.items():
            self._found.pop(path, None)
            if content is None:
                self._contents.pop(path, None)
            else:
                self._contents[path] = content
        self._folders = frozenset(_folders(self._contents))

    def is_as(self, contents: Mapping[str, bytes]) -> bool:
        """Return whether these files still have the contents that were read here."""
        return all(self._contents.get(path, self._found.get(path)) == content for path, content in contents.items())

    def newly_read(self) -> dict[str, bytes]:
        """Return what was read from the disk since the last call."""
        found, self._untold = self._untold, {}
        return found

    def content(self, file: PluginFile) -> bytes:
        """Return the bytes of a copy, or of the file on the disk if there is no copy."""
        known = self._contents.get(file.path, self._found.get(file.path))
        if known is None:
            known = self._found[file.path] = self._untold[file.path] = super().content(file)
        return known

    def names_beside(self, folder: str) -> frozenset[str]:
        """Return the importable names: from the copies, and import-only files (`_x.py`) on the disk."""
        files = {name[:-3] for name in _inside(folder, self._contents) if name.endswith(".py")} - {"__init__"}
        folders = {name for name in _inside(folder, self._folders) if self._is_module(f"{folder}{os.sep}{name}", name)}
        others = {name for name in super().names_beside(folder) if name.startswith("_")}
        return frozenset(composed(name) for name in files | folders | others if name.isidentifier())

    def is_file(self, path: str) -> bool:
        """Return whether there is a copy or a file."""
        return path in self._contents or path in self._found or super().is_file(path)

    def is_folder(self, path: str) -> bool:
        """Return whether a copy lies in the folder, or the folder exists on the disk."""
        return path in self._folders or super().is_folder(path)

    def spelled(self, folder: str, name: str) -> str:
        """Return how a name is spelled in a folder; copies come before the disk."""
        found = _spelled(name, (*_inside(folder, self._contents), *_inside(folder, self._folders)))
        return super().spelled(folder, name) if found == name else found

    def _is_module(self, path: str, name: str) -> bool:
        if f"{path}{os.sep}__init__.py" in self._contents:
            return True
        return any(file.endswith(".py") for file in _inside(path, self._contents)) and not is_installed(name)


def _spelled(name: str, names: Iterable[str]) -> str:
    return name if name.isascii() else next((each for each in names if composed(each) == composed(name)), name)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - a Path for each file takes longer
    except OSError:
        return []


def _folders(paths: Iterable[str]) -> Iterator[str]:
    for path in {path.rpartition(os.sep)[0] for path in paths}:
        folder = path
        while folder:
            yield folder
            folder = folder.rpartition(os.sep)[0]


def _inside(folder: str, paths: Iterable[str]) -> Iterator[str]:
    """Return the last part of the paths that are directly in a folder."""
    return (name for above, _, name in (path.rpartition(os.sep) for path in paths) if above == folder)
