"""Prepare the three standard streams: they are always open, and a failure to write ends nothing.

Standard output is the command's result: if it cannot be written, the command reports that at its end. Standard error
is for diagnostics, whose loss fails nothing. A stream may be shared with a program that made it non-blocking.
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

#: The bytes that a writable pipe takes at once.
_CHUNK = 4096
#: The milliseconds that diagnostics wait for a stalled reader: a stopped terminal, a program behind a pipe.
_PATIENCE = 1000
# Bound now: gevent's patch replaces it by a function that may not be called everywhere.
_poll = getattr(select, "poll", None)


class StandardOutput(io.FileIO):
    """Standard output.

    In a command, writes after a failure are dropped and the failure is kept until the end: the command still does its
    work. In a program that goes on (`is_lasting`) every failure raises OSError: later there may be room again.
    """

    def __init__(self, descriptor: int, *, is_lasting: bool = False) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._is_lasting = is_lasting
        #: The failure since which all writes are dropped.
        self.failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of the data, or drop all of it after a failure; return the number of bytes."""
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
    """Standard error. What it does not take is dropped, so that alerts go on."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._patience = _PATIENCE

    def write(self, data: ReadableBuffer, /) -> int:
        """Write the data as far as the stream takes it; return its size."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        with suppress(OSError):
            while rest and self._has_room():
                rest = rest[super().write(rest[:_CHUNK]) or 0 :]
        return size

    def _has_room(self) -> bool:
        has_room = _await_room(self.fileno(), self._patience)
        # A stalled reader is waited for once.
        self._patience = _PATIENCE if has_room else 0
        return has_room


def prepare_streams() -> None:
    """Open standard streams that are closed, and replace standard output and standard error by the classes above."""
    _open_closed()
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open until the process ends
    sys.stdout = as_text(StandardOutput(1), sys.stdout)
    sys.stderr = as_text(StandardError(2), sys.stderr, errors="backslashreplace")


def are_prepared() -> bool:
    """Return whether `prepare_streams` was called: then this program owns the process."""
    return isinstance(getattr(getattr(sys.stdout, "buffer", None), "raw", None), StandardOutput)


def as_text(raw: io.FileIO, like: TextIO | None, *, errors: str | None = None) -> TextIO:
    """Return a text stream over a raw file, in the encoding of another stream."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors=errors or getattr(like, "errors", None) or "replace",
        line_buffering=True,
    )


def failure(stream: TextIO) -> OSError | None:
    """Return the failure since which writes to the stream are dropped, or None."""
    raw: Any = getattr(getattr(stream, "buffer", None), "raw", None)  # Any: a plugin, or a test, may put anything there
    return raw.failure if isinstance(raw, StandardOutput) else None


def copy_failure(stream: TextIO, to: TextIO) -> None:
    """Copy the failure of a stream to another stream of the same file."""
    raw: Any = getattr(getattr(to, "buffer", None), "raw", None)  # Any: as above
    if isinstance(raw, StandardOutput):
        raw.failure = raw.failure or failure(stream)


def _open_closed() -> None:
    """Open closed descriptors on the null device: else the next file, such as the database, would become a stream."""
    for descriptor in (0, 1, 2):
        if _is_closed(descriptor):
            # The system returns the lowest free descriptor.
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
