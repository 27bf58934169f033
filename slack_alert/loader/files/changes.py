"""Find the plugin files that changed on disk since the last scan."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.structs import Struct, field
from slack_alert.loader.files.content import UnusableFileError, read_content
from slack_alert.loader.files.discovery import PluginFile

#: Seconds. A file that is being written is read once it has not changed for QUIET; one whose last line has no line
#: end is probably unfinished and waits for UNFINISHED; one that never stops changing is read after ENDLESS.
QUIET, UNFINISHED, ENDLESS = 0.2, 1.0, 10.0

_Signature = tuple[int, int, int, int, int]


class FolderLook(Struct, frozen=True):
    """The result of one scan of the plugins folder and the packs."""

    #: The files that may declare jobs, in order.
    files: list[PluginFile]
    #: Files whose content changed; new files are among them.
    changed: list[PluginFile]
    missing: list[PluginFile]
    #: Other files are being written; scan again in a moment.
    is_busy: bool
    #: The problems of folders that cannot be read.
    problems: list[Problem]


class PluginFolder(Struct):
    """The plugins folder with the packs; `contents` is what was read of their files at first."""

    #: Finds the files that may declare jobs, and the problems of the folders.
    find: Callable[[], tuple[list[PluginFile], list[Problem]]]
    #: Returns the file at a path.
    file: Callable[[str], PluginFile]
    contents: dict[str, bytes]
    #: The problems of files that cannot be read, by path.
    faults: dict[str, Problem] = field(default_factory=dict)
    _known: dict[str, PluginFile] = field(default_factory=dict)
    _signatures: dict[str, _Signature | None] = field(default_factory=dict)
    #: Files being written: the signature, since when it has been the same, and since when the file has been written.
    _busy: dict[str, tuple[_Signature | None, float, float]] = field(default_factory=dict)

    def scan(self, passed: float) -> FolderLook:
        """Scan all files; a file whose device, inode, size and times are unchanged is not read again.

        `passed` is in seconds, by a monotonic clock.
        """
        files, problems = self.find()
        there = {file.path: file for file in files}
        others = (path for path in [*self.contents, *self._known] if path not in there)
        unseen = {path: self._file(path) for path in others}
        changed = [file for path, file in there.items() if self._has_changed(file, _signature(path), passed)]
        # Files in an unreadable folder may still exist; all of them, if it is the plugins folder itself.
        hidden = tuple(f"{problem.file}/" for problem in problems if problem.severity is Severity.ERROR)
        missing = []
        for path, file in unseen.items():
            if file.shown.startswith(hidden):
                continue
            # Files that are only imported by others: their name, or that of their folder, begins with an underscore.
            signature = _signature(path)
            if signature is None:
                missing.append(file)
            elif self._has_changed(file, signature, passed):
                changed.append(file)
        for file in missing:
            self._busy.pop(file.path, None)
        return FolderLook(files, changed, missing, bool(self._busy), problems)

    def follow(self, contents: Mapping[str, bytes]) -> None:
        """Follow further files; `contents` is what was read of them."""
        for path, content in contents.items():
            self.contents.setdefault(path, content)

    def unfollow(self, file: PluginFile) -> None:
        """Stop following a file."""
        for known in (self.contents, self.faults, self._known, self._signatures, self._busy):
            known.pop(file.path, None)

    def _file(self, path: str) -> PluginFile:
        if path not in self._known:
            self._known[path] = self.file(path)
        return self._known[path]

    def _has_changed(self, file: PluginFile, signature: _Signature | None, passed: float) -> bool:
        path = file.path
        if signature is not None and signature == self._signatures.get(path):
            self._busy.pop(path, None)
            return False
        self._known[path] = file
        content, fault = _read(file)
        is_same = content == self.contents.get(path) if fault is None else True
        if is_same and fault == self.faults.get(path):
            return self._settle(file, signature, is_new=False)
        if self._is_written(path, signature, content, passed) or signature != _signature(path):
            return False
        if content is not None:
            self.contents[path] = content
        if fault is not None:
            self.faults[path] = fault
        else:
            self.faults.pop(path, None)
        return self._settle(file, signature, is_new=True)

    def _settle(self, file: PluginFile, signature: _Signature | None, *, is_new: bool) -> bool:
        self._signatures[file.path] = signature
        self._busy.pop(file.path, None)
        return is_new

    def _is_written(self, path: str, signature: _Signature | None, content: bytes | None, passed: float) -> bool:
        """Return whether a file is probably still being written."""
        former, since, first = self._busy.get(path, (signature, passed, passed))
        if former != signature:
            since = passed
        self._busy[path] = (signature, since, first)
        is_whole = content is None or content.endswith((b"\n", b"\r"))
        return passed - since < (QUIET if is_whole else UNFINISHED) and passed - first < ENDLESS


def _read(file: PluginFile) -> tuple[bytes | None, Problem | None]:
    try:
        return read_content(file), None
    except UnusableFileError as error:
        return None, error.problem


def _signature(path: str) -> _Signature | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each file takes longer
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
