"""Cache the readings of all files beside the state, so that an unchanged file need not be parsed again.

One file for everything, never `__pycache__`, in one piece, or two if two processes have read. A file that is damaged,
of another version or of other settings is ignored, and it is replaced as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, TypeAlias

from slack_alert import __version__
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.structs import astuple, replace
from slack_alert.engine.system.file_ownership import make_folder, open_new
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.parsing.declaration import Declaration, FileReading

#: Increase it with every change of what is cached, or of how files are read.
_FORMAT = 8
#: In bytes. The digest detects damage and change, so it need not be the strongest; this one is fast and short.
_DIGEST = 20
#: In bytes: the size of the field with the length of a piece.
_LENGTH = 8

#: The read bits of group and others, with all bits that are removed from those who may not read.
_READERS = ((stat.S_IRGRP, stat.S_IRWXG), (stat.S_IROTH, stat.S_IRWXO))

#: Everything that a reading depends on, except for what all readings have in common.
Key: TypeAlias = tuple[bytes, bytes, tuple[str, ...]]
_Fault: TypeAlias = tuple[str, int, int, str, str, str, str]
# Any: the fields of a Declaration as plain values.
_Entry: TypeAlias = tuple[Key, list[tuple[Any, ...]], list[_Fault], CodeType | None]


class ReadingCache:
    """Readings by path, each with the key for which it is valid."""

    def __init__(self, folder: Path, markers: tuple[str, ...]) -> None:
        self._place = folder / "readings.bin"
        implementation = (sys.implementation.cache_tag, importlib.util.MAGIC_NUMBER, sys.flags.optimize)
        self._common = repr((_FORMAT, __version__, implementation, markers))
        self._folders: dict[frozenset[str], bytes] = {}
        self._keywords: dict[str, Mapping[str, object]] = {}
        self._known = self._read()
        #: The readings used or stored by this process; the others are dropped when the cache is written.
        self._entries: dict[str, _Entry] = {}
        #: The readings of another process, packed and unpacked.
        self._learned = b""
        self._theirs: dict[str, _Entry] = {}
        self._has_news = False

    def key(self, file: PluginFile, content: bytes, neighbours: frozenset[str]) -> Key:
        """Return everything that a reading depends on."""
        if neighbours not in self._folders:
            names = repr(sorted(neighbours)).encode("utf-8", "surrogatepass")
            self._folders[neighbours] = _digest(names)
        return _digest(content), self._folders[neighbours], file.parts

    def get(self, file: PluginFile, key: Key) -> FileReading | None:
        """Return the reading of a file that has not changed; None if there is none."""
        entry = self._theirs.get(file.path)
        if entry is None or entry[0] != key:
            entry = self._known.get(file.path)
            if entry is None or entry[0] != key:
                return None
            self._entries[file.path] = entry
        _, declarations, problems, code = entry
        return FileReading(tuple([Declaration(*one) for one in declarations]), tuple(map(_problem, problems)), code)

    def store(self, file: PluginFile, key: Key, reading: FileReading) -> None:
        """Add a reading."""
        declarations = [astuple(replace(one, keywords=self._shared(one))) for one in reading.declarations]
        self._entries[file.path] = key, declarations, [_fields(problem) for problem in reading.problems], reading.code
        self._has_news = True

    def packed(self) -> Callable[[], None]:
        """Pack the readings and return a function that writes them, if any of them is new.

        A folder that cannot be written to only costs time.
        """
        if not self._has_news and len(self._entries) == len(self._known):
            return _do_nothing
        # If two pieces hold the same file, the later one counts.
        return partial(_write, self._place, self._learned + self.sealed(), (*self._entries, *self._theirs))

    def lacking(self, files: Iterable[PluginFile]) -> list[PluginFile]:
        """Return the files without a reading, of whatever content."""
        return [file for file in files if file.path not in self._known]

    def sealed(self) -> bytes:
        """Return the readings of this process as bytes, with their length and digest."""
        kept = marshal.dumps((self._common, self._entries))
        return len(kept).to_bytes(_LENGTH, "big") + _digest(kept) + kept

    def learn(self, sealed: bytes) -> None:
        """Add the readings of another process."""
        self._theirs = self._unsealed(sealed)
        self._learned = sealed if self._theirs else b""
        self._has_news = True

    def _shared(self, declaration: Declaration) -> Mapping[str, object]:
        """Return equal keywords as one object, which is also stored once."""
        return self._keywords.setdefault(repr(declaration.keywords), declaration.keywords)

    def _read(self) -> dict[str, _Entry]:
        try:
            return self._unsealed(self._place.read_bytes())
        except OSError:
            return {}

    def _unsealed(self, sealed: bytes) -> dict[str, _Entry]:
        """Return the readings of all pieces up to the first damaged one."""
        entries: dict[str, _Entry] = {}
        rest = memoryview(sealed)
        while rest:
            start = _LENGTH + _DIGEST
            end = start + int.from_bytes(rest[:_LENGTH], "big")
            piece = self._piece(rest[_LENGTH:start], rest[start:end])
            if piece is None:
                break
            entries |= piece
            rest = rest[end:]
        return entries

    def _piece(self, seal: memoryview, kept: memoryview) -> dict[str, _Entry] | None:
        # Unpacking damaged bytes may crash the interpreter.
        if seal != _digest(kept):
            return None
        try:
            common, entries = marshal.loads(kept)  # noqa: S302 - written by us, and its digest matches
        except (ValueError, TypeError, EOFError):
            return None
        found: dict[str, _Entry] | None = entries if common == self._common else None
        return found


def _write(place: Path, content: bytes, sources: Iterable[str]) -> None:
    new = place.with_name("readings.new")
    with suppress(OSError):
        make_folder(new.parent)
        new.unlink(missing_ok=True)  # Left by a process that died or still writes; a mixed file has a wrong digest.
        try:
            with os.fdopen(open_new(new), "wb") as file:
                _hide(file.fileno(), sources)
                file.write(content)
            new.replace(place)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def _hide(file: int, sources: Iterable[str]) -> None:
    """Remove read permissions that a source does not have: the cache contains what is written in the sources."""
    hidden = 0
    for path in sources:
        with suppress(OSError):
            mode = os.stat(path).st_mode  # noqa: PTH116 - a Path for each file takes longer
            hidden |= sum(bits for read, bits in _READERS if not mode & read)
    if hidden and hasattr(os, "fchmod"):
        os.fchmod(file, os.fstat(file).st_mode & ~hidden & 0o777)


def _do_nothing() -> None:
    """Write nothing, because no reading is new."""


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _fields(problem: Problem) -> _Fault:
    place = problem.file, problem.line, problem.column
    return *place, problem.severity.value, problem.code, problem.message, problem.hint


def _problem(fields: _Fault) -> Problem:
    file, line, column, severity, code, message, hint = fields
    return Problem(file, line, column, Severity(severity), code, message, hint)
