"""The plugin files as they lie on the disk: which of them changed since one looked last."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slack_alert.core.catalog import Problem
from slack_alert.loader.files import PluginFile, find_files
from slack_alert.loader.source import UnusableFileError, read_content

_Sign = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found."""

    #: Those that may declare jobs, in order.
    files: list[PluginFile]
    #: New ones are among them.
    changed: list[PluginFile]
    missing: list[PluginFile]
    #: Of folders that cannot be read.
    problems: list[Problem]


@dataclass(slots=True)
class Folder:
    """A folder of plugins; `contents` is what was read of its files at first."""

    path: Path
    contents: dict[str, bytes]
    #: Of files that cannot be read.
    faults: dict[str, Problem] = field(default_factory=dict)
    _known: dict[str, PluginFile] = field(default_factory=dict)
    _signs: dict[str, _Sign | None] = field(default_factory=dict)

    def look(self) -> Look:
        """Look at every file; one whose place, size and times are the same is not read again."""
        files, problems = find_files(self.path)
        there = {file.path: file for file in files}
        others = (path for path in [*self.contents, *self._known] if path not in there)
        unseen = {path: self._file(path) for path in others}
        changed = [file for path, file in there.items() if self._has_changed(file, _sign(path))]
        missing = []
        for path, file in unseen.items():
            # What is imported by others only: its name begins with an underscore.
            sign = _sign(path) if file.parts[-1].startswith("_") else None
            if sign is None:
                missing.append(file)
            elif self._has_changed(file, sign):
                changed.append(file)
        return Look(files, changed, missing, problems)

    def note(self, contents: Mapping[str, bytes]) -> None:
        """Follow further files, with what was read of them."""
        for path, content in contents.items():
            self.contents.setdefault(path, content)

    def forget(self, file: PluginFile) -> None:
        """Follow a file no more."""
        for known in (self.contents, self.faults, self._known, self._signs):
            known.pop(file.path, None)

    def _file(self, path: str) -> PluginFile:
        if path not in self._known:
            self._known[path] = PluginFile.at(Path(path), self.path)
        return self._known[path]

    def _has_changed(self, file: PluginFile, sign: _Sign | None) -> bool:
        # The sign was taken before the content is read: what is written meanwhile is found the next time.
        if sign is not None and sign == self._signs.get(file.path):
            return False
        self._known[file.path] = file
        self._signs[file.path] = sign
        try:
            content = read_content(file)
        except UnusableFileError as error:
            had = self.faults.get(file.path)
            self.faults[file.path] = error.problem
            return had != error.problem
        was_faulty = self.faults.pop(file.path, None) is not None
        is_new = self.contents.get(file.path) != content
        if is_new:
            self.contents[file.path] = content
        return is_new or was_faulty


def _sign(path: str) -> _Sign | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each file takes longer
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
