"""Read the content of a plugin file, or raise the problem that makes it unusable."""

from __future__ import annotations

import os
import stat

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.environment_faults import machine_lack
from slack_alert.loader.files.discovery import PluginFile

#: A pipe is opened without waiting for a writer; each of the two flags exists on some systems only.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


#: Bytes read at once.
_PIECE = 1 << 20


class UnusableFileError(Exception):
    """A plugin file cannot be used at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_content(file: PluginFile) -> bytes:
    """Return the bytes of a file; raise UnusableFileError if it cannot be read."""
    try:
        opened = os.open(file.path, _READ)
        try:
            found = os.fstat(opened)
            # Anything else would block (a pipe) or never end (a device).
            if not stat.S_ISREG(found.st_mode):
                raise unusable_file(file, "SA103", "this is not a file", hint="Remove it from the plugins.")
            return _content(opened, found.st_size)
        finally:
            os.close(opened)
    except OSError as error:
        hint = machine_lack(error) or "Give this user the right to read it, or remove it."
        raise unusable_file(file, "SA103", f"the file cannot be read: {error.strerror}", hint=hint) from error


def _content(opened: int, size: int) -> bytes:
    """Return all bytes up to the end; `size` is a guess. `open` is not used, because there are many files."""
    content = os.read(opened, size + 1)
    if len(content) == size:
        return content
    pieces = [content]
    while pieces[-1]:
        pieces.append(os.read(opened, _PIECE))
    return b"".join(pieces)


def unusable_file(
    file: PluginFile, code: str, message: str, *, line: int = 1, column: int = 1, hint: str
) -> UnusableFileError:
    return UnusableFileError(Problem(file.shown, line, column, Severity.ERROR, code, message, hint))
