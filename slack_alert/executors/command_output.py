"""Pass on the output of an external program as it comes, and keep as much as the history stores."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO

from slack_alert.core.redaction.redaction import REACH, Redaction
from slack_alert.core.structs import Struct
from slack_alert.executors.calling.output import KEPT

#: Seconds. A process left behind may keep the output open and write forever; it is read this long after the end.
_LINGER = 1.0
_STEP = 0.02
_CHUNK = 65_536
#: Reads on without being a child or a copy of this process. A shell takes standard input away from its background
#: commands, so it is duplicated.
_DRAIN_COMMAND = "exec 3<&0; cat <&3 >/dev/null 3<&- &"
#: Bytes that a pipe holds by default.
_PIPE = 65_536
#: Bytes that are kept of the beginning, and of the end.
_SIDE = KEPT // 2 + REACH


class ProgramOutput(Struct, frozen=True):
    """The output of a program; if it is long, its beginning and end, each with `REACH` bytes more than is shown."""

    head: bytes
    tail: bytes = b""
    #: The number of bytes between head and tail.
    left_out: int = 0

    def shown(self, redaction: Redaction) -> str:
        """Return the output as text without secrets; if the middle is left out, the text says so."""
        if not self.left_out:
            return redaction((self.head + self.tail).decode("utf-8", "replace"))
        head, tail = self.head.decode("utf-8", "replace"), self.tail.decode("utf-8", "replace")
        begin = redaction.head(head, max(0, len(head) - REACH))[0]
        end = redaction.tail(tail, max(0, len(tail) - REACH))
        return f"{begin}\n… {self.left_out + 2 * REACH:,} more bytes …\n{end}"


class KeptOutput:
    """Keeps the beginning and the end of the output."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        with self._lock:
            room = _SIDE - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:] if room < len(chunk) else b""
            if len(self._tail) > 2 * _SIDE:
                self._shorten()

    def output(self) -> ProgramOutput:
        """Return what was kept."""
        with self._lock:
            self._shorten()
            return ProgramOutput(bytes(self._head), bytes(self._tail), self._left_out)

    def _shorten(self) -> None:
        excess = max(0, len(self._tail) - _SIDE)
        del self._tail[:excess]
        self._left_out += excess


class OutputReader:
    """Reads the output of a program, on a thread of its own."""

    def __init__(self, pipe: IO[bytes], out: int | None, kept: KeptOutput) -> None:
        self._pipe = pipe
        self._out = out
        self._kept = kept
        #: The error that prevents passing it on.
        self.failure: OSError | None = None
        self._is_handed_over = False
        #: The number of bytes that were passed on.
        self._passed = 0
        #: The time when it began to wait for more; None: it is passing on a chunk.
        self._waits_since: float | None = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="output", daemon=True)
        self._thread.start()

    def is_finished(self, ended: float) -> bool:
        """Wait for the end of the output, and a moment beyond the program's end; return whether it came.

        What the program itself wrote is in the pipe by then, and is passed on however long that takes.
        """
        own = self._passed + _CHUNK + _PIPE
        emptied: float | None = None
        while self._thread.is_alive():
            now = time.monotonic()
            if emptied is None and self._is_pipe_empty():
                emptied = now
            if now - ended > _LINGER and (self._passed >= own or self._has_passed_on(emptied, now)):
                return False
            self._thread.join(_STEP)
        return True

    def hand_over(self) -> None:
        """Hand the pipe to another process at the end: closing it would end processes left behind when they write."""
        self._is_handed_over = True
        with suppress(OSError, ValueError):  # The output ended meanwhile, or there is no shell here.
            subprocess.run(  # noqa: S603 - our own arguments
                ["sh", "-c", _DRAIN_COMMAND],  # noqa: S607 - found on PATH
                stdin=self._pipe,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
            )

    def _is_pipe_empty(self) -> bool:
        if sys.platform == "win32":  # It cannot be known.
            return True
        with suppress(OSError, ValueError):  # The pipe is closed.
            return not select.select([self._pipe], [], [], 0)[0]
        return True

    def _has_passed_on(self, emptied: float | None, now: float) -> bool:
        """Return whether everything was passed on that was in the pipe before it was seen empty."""
        since = self._waits_since
        # The thread may just have read something without having noted it.
        return emptied is not None and since is not None and (since > emptied or now - emptied > 5 * _STEP)

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), _CHUNK):
                self._waits_since = None
                if self._is_handed_over:
                    return
                self._kept.add(chunk)
                if not self._is_passed_on(chunk):
                    return
                self._passed += len(chunk)
                self._waits_since = time.monotonic()

    def _is_passed_on(self, chunk: bytes) -> bool:
        """Pass a chunk on; return False if nobody reads any more, which the program has to notice as well."""
        rest = memoryview(chunk)
        try:
            while self._out is not None and rest:
                rest = rest[_written(self._out, rest) :]
        except BrokenPipeError:
            return False
        except OSError as error:  # A full disk or a terminal that is gone; the program may go on all the same.
            self._out = None
            self.failure = error
        return True


def _written(out: int, rest: memoryview) -> int:
    try:
        return os.write(out, rest)
    except BlockingIOError:  # Another program that shares it made it non-blocking.
        select.select([], [out], [])
        return 0
