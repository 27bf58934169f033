"""Read what a program prints as it comes, where somebody follows it; elsewhere `communicate` does."""

from __future__ import annotations

import codecs
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from io import RawIOBase
from time import monotonic
from typing import Any

from slack_alert.core.model.run import LOOKED_AT, Run, output_of

_CHUNK = 65_536


class StreamedProgram:
    """Reads the output of a program on a thread, and writes its input on another; what is read is passed on."""

    def __init__(self, child: subprocess.Popen[Any], text: str | None, heard: Callable[[str], object]) -> None:
        self._child = child
        self._heard = heard
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, name="program-output", daemon=True)
        self._reader.start()
        if text is not None:
            data = text.encode("utf-8", "replace")
            threading.Thread(target=self._write, args=(data,), name="program-input", daemon=True).start()

    def communicate(self, timeout: float | None) -> str:
        """Return the whole output once the program has ended and nobody writes any more; raise TimeoutExpired."""
        until = None if timeout is None else monotonic() + timeout
        self._reader.join(timeout)
        if self._reader.is_alive():
            assert timeout is not None, "else it has ended"
            raise subprocess.TimeoutExpired(self._child.args, timeout)
        self._child.wait(None if until is None else max(0.0, until - monotonic()))
        text = b"".join(self._chunks).decode("utf-8", "replace")
        # As `communicate` does for text.
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def read_on(self, seconds: float) -> None:
        """Let it be read on for a while: a program cannot end while its output is blocked."""
        until = monotonic() + seconds
        self._reader.join(seconds)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(max(0.0, until - monotonic()))

    def _read(self) -> None:
        pipe: RawIOBase = _raw(self._child.stdout)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        # It is closed meanwhile where the program was given up, and something it left behind still holds it.
        with suppress(OSError, ValueError):
            while chunk := pipe.read(_CHUNK):
                self._chunks.append(chunk)
                self._heard(decoder.decode(chunk))

    def _write(self, data: bytes) -> None:
        pipe: RawIOBase = _raw(self._child.stdin)
        rest = memoryview(data)
        with suppress(OSError, ValueError):  # It does not read all of it, or as above.
            while rest:
                rest = rest[pipe.write(rest) or 0 :]
        with suppress(OSError, ValueError):
            pipe.close()


class RecentOutput:
    """The last of what a run and its programs print, as it comes; used on any thread."""

    def __init__(self, before: str = "") -> None:
        self._lock = threading.Lock()
        self._text = before[-LOOKED_AT:]
        #: The number of characters so far.
        self.length = len(before)

    def add(self, text: str) -> None:
        """Add what was printed."""
        with self._lock:
            self.length += len(text)
            self._text += text
            if len(self._text) > 2 * LOOKED_AT:
                self._text = self._text[-LOOKED_AT:]

    def text(self) -> str:
        """Return the last of it."""
        return self._text[-LOOKED_AT:]


def follow(run: Run) -> Callable[[str], object]:
    """Return what takes the output of a run's programs, for whoever asked for the run."""
    output = output_of(run)
    if output.recent is None:
        output.recent = RecentOutput("".join(output.printed))
    return output.recent.add


def _raw(pipe: Any) -> Any:  # Any: the kinds of files that subprocess and gevent make
    assert pipe is not None, "it is a pipe"
    return pipe
