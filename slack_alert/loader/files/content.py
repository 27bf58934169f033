"""Read a plugin file; one that cannot be used says why."""

from __future__ import annotations

import os
import stat

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.environment_faults import machine_lack
from slack_alert.loader.files.discovery import PluginFile

#: A pipe is opened without waiting for somebody to write into it; the two flags are unknown to each other's systems.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


#: In bytes.
_PIECE = 1 << 20


class UnusableFileError(Exception):
    """A plugin file cannot be used at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_content(file: PluginFile) -> bytes:
    """Read the bytes of a file; raise UnusableFileError where there are none to be had."""
    try:
        opened = os.open(file.path, _READ)
        try:
            found = os.fstat(opened)
            # Anything else would block (a pipe) or never end (a device).
            if not stat.S_ISREG(found.st_mode):
                raise _unusable(file, "SA103", "this is not a file", hint="Remove it from the plugins.")
            return _content(opened, found.st_size)
        finally:
            os.close(opened)
    except OSError as error:
        hint = machine_lack(error) or "Give this user the right to read it, or remove it."
        raise _unusable(file, "SA103", f"the file cannot be read: {error.strerror}", hint=hint) from error


def _content(opened: int, size: int) -> bytes:
    """Read to the end, of which the size is a guess; without what `open` makes, because there are many files."""
    content = os.read(opened, size + 1)
    if len(content) == size:
        return content
    pieces = [content]
    while pieces[-1]:
        pieces.append(os.read(opened, _PIECE))
    return b"".join(pieces)


def _unusable(
    file: PluginFile, code: str, message: str, *, line: int = 1, column: int = 1, hint: str
) -> UnusableFileError:
    return UnusableFileError(Problem(file.shown, line, column, Severity.ERROR, code, message, hint))
