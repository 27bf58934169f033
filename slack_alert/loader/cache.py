"""Keep what was read of a file beside the state, so that an unchanged one need not be parsed again.

One entry for each path, never in `__pycache__`. An entry that is damaged or of another version is as good as none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from types import CodeType

from slack_alert import __version__
from slack_alert.core.catalog import Problem, Severity
from slack_alert.loader.declaration import Declaration, Reading
from slack_alert.loader.files import PluginFile

#: Raise it with every change to what is kept, or to how files are read.
_FORMAT = 1
_DIGEST = hashlib.sha256().digest_size


class Cache:
    """Readings by path, each with the key it is true for."""

    def __init__(self, folder: Path, markers: tuple[str, ...]) -> None:
        self._folder = folder
        implementation = (sys.implementation.cache_tag, importlib.util.MAGIC_NUMBER, sys.flags.optimize)
        self._common = repr((_FORMAT, __version__, implementation, markers)).encode()
        self._folders: dict[frozenset[str], str] = {}

    def key(self, file: PluginFile, content: bytes, neighbours: frozenset[str]) -> bytes:
        """Digest all that a reading depends on."""
        if neighbours not in self._folders:
            self._folders[neighbours] = repr(sorted(neighbours))
        names = repr((str(file.path), file.parts)) + self._folders[neighbours]
        digest = hashlib.sha256(content).digest()
        return hashlib.sha256(b"\0".join((self._common, names.encode("utf-8", "surrogatepass"), digest))).digest()

    def get(self, file: PluginFile, key: bytes) -> Reading | None:
        """Find the reading of a file that has not changed."""
        try:
            entry = self._place(file).read_bytes()
        except OSError:
            return None
        sealed, kept = entry[: 2 * _DIGEST], entry[2 * _DIGEST :]
        # Unpacking damaged bytes may crash the interpreter.
        if sealed != key + hashlib.sha256(kept).digest():
            return None
        try:
            declarations, problems, code = marshal.loads(kept)  # noqa: S302 - written by us, and sealed
            return Reading(
                tuple(Declaration(*fields) for fields in declarations),
                tuple(
                    Problem(shown, line, column, Severity(severity), *words)
                    for shown, line, column, severity, *words in problems
                ),
                code if isinstance(code, CodeType) else None,
            )
        except (ValueError, TypeError, EOFError):
            return None

    def put(self, file: PluginFile, key: bytes, reading: Reading) -> None:
        """Keep a reading; a folder that cannot be written to costs time, nothing else."""
        declarations = [_fields(declaration) for declaration in reading.declarations]
        problems = [
            (*astuple(problem)[:3], problem.severity.value, *astuple(problem)[4:]) for problem in reading.problems
        ]
        kept = marshal.dumps((declarations, problems, reading.code))
        with suppress(OSError):
            self._write(self._place(file), key + hashlib.sha256(kept).digest() + kept)

    def _place(self, file: PluginFile) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(file.path)).hexdigest()[:32]}.bin"

    def _write(self, place: Path, entry: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(entry)
            Path(temporary).replace(place)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def _fields(declaration: Declaration) -> tuple[object, ...]:
    return tuple(getattr(declaration, name) for name in Declaration.__slots__)
