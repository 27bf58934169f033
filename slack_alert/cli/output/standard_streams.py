"""The three standard streams as this program needs them: always there, and nothing ends because one takes nothing.

Standard output is what a command is called for: where it cannot be written the command says so at its end. Standard
error is for diagnostics, which fail nothing. A stream may be shared with a program that made it non-blocking.
"""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: What a pipe takes at once when the system says that it takes something.
_CHUNK = 4096
#: So many milliseconds diagnostics wait for a reader that stands still: a stopped terminal, a program behind a pipe.
_PATIENCE = 1000
# Bound now: gevent's patch replaces it by one that may not be called everywhere.
_poll = getattr(select, "poll", None)


class StandardOutput(io.FileIO):
    """Standard output.

    Of a command, what follows a failure is left out, and how it failed is known at the end: the command does all it was
    called for. In a program that goes on (`is_lasting`) each failure is an OSError: later there may be room again.
    """

    def __init__(self, descriptor: int, *, is_lasting: bool = False) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._is_lasting = is_lasting
        #: Why nothing that is written arrives any more.
        self.failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of it."""
        if self.failure is None:
            try:
                while (written := super().write(data)) is None:
                    _await_room(self.fileno(), None)
            except OSError as error:
                if self._is_lasting:
                    raise
                self.failure = error
            else:
                return written
        return memoryview(data).nbytes


class StandardError(io.FileIO):
    """Standard error. What it does not take is left out, so that alerts go on."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._patience = _PATIENCE

    def write(self, data: ReadableBuffer, /) -> int:
        """Write it as far as the stream takes it."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        with suppress(OSError):
            while rest and self._has_room():
                rest = rest[super().write(rest[:_CHUNK]) or 0 :]
        return size

    def _has_room(self) -> bool:
        has_room = _await_room(self.fileno(), self._patience)
        # Whoever stands still is waited for once.
        self._patience = _PATIENCE if has_room else 0
        return has_room


def prepare_streams() -> None:
    """Open what whoever started this process closed, and let standard output and standard error fail as they should."""
    _open_closed()
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives as long as the process
    sys.stdout = as_text(StandardOutput(1), sys.stdout)
    sys.stderr = as_text(StandardError(2), sys.stderr, errors="backslashreplace")


def are_prepared() -> bool:
    """Return whether the streams are this program's: then all of the process is."""
    return isinstance(getattr(getattr(sys.stdout, "buffer", None), "raw", None), StandardOutput)


def as_text(raw: io.FileIO, like: TextIO | None, *, errors: str | None = None) -> TextIO:
    """Return a text stream over a descriptor, of the encoding of another one."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors=errors or getattr(like, "errors", None) or "replace",
        line_buffering=True,
    )


def failure(stream: TextIO) -> OSError | None:
    """Return why nothing that is written there arrives any more; None where it does, as far as that is known."""
    raw: Any = getattr(getattr(stream, "buffer", None), "raw", None)  # Any: a plugin, or a test, may put anything there
    return raw.failure if isinstance(raw, StandardOutput) else None


def hand_on_failure(stream: TextIO, to: TextIO) -> None:
    """Let one stream have failed as another one for the same place did."""
    raw: Any = getattr(getattr(to, "buffer", None), "raw", None)  # Any: as above
    if isinstance(raw, StandardOutput):
        raw.failure = raw.failure or failure(stream)


def _open_closed() -> None:
    """Lead closed descriptors nowhere: else the next file, perhaps the database, becomes somebody's standard output."""
    for descriptor in (0, 1, 2):
        if _is_closed(descriptor):
            # The system gives the lowest one that is free.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _await_room(descriptor: int, milliseconds: int | None) -> bool:
    if _poll is None:
        return True
    waiting = _poll()
    waiting.register(descriptor, select.POLLOUT)
    return bool(waiting.poll(milliseconds))
