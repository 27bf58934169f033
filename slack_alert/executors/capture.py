"""What plugins print: to standard error as `job | line`, into the run record, never to standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, TextIO

from slack_alert.core.model import Run

#: The run whose function is being called here (thread, greenlet or task).
current: ContextVar[Run | None] = ContextVar("slack_alert_run", default=None)

#: A line is passed on at this length even where it never ends.
_LINE = 8192
#: Characters of one run's output that are kept; what is beyond still reaches standard error.
KEPT = 256 * 1024


class Printed(io.TextIOBase):
    """A standard output, or error, that knows which run is writing to it."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, stderr: TextIO, clean: Callable[[str], str] = str) -> None:
        self._stderr = stderr
        #: Takes out what must not be seen.
        self._clean = clean
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def fileno(self) -> int:
        """Give standard error's descriptor: what a plugin's own subprocess writes there is not ours to change."""
        return self._stderr.fileno()

    def isatty(self) -> bool:
        """Say no: what is written is passed on in whole lines."""
        return False

    def reconfigure(self, **_: object) -> None:
        """Stay as it is; scripts ask for an encoding here."""

    def write(self, text: str) -> int:
        """Pass the text on, line by line under the job's name."""
        run = current.get()
        if run is None:
            self._pass_on(text)
            return len(text)
        if run.end_line is None:
            run.end_line = partial(self._end_line, run)
        keep(run, text)
        if "\n" not in text and len(run.line) < _LINE:
            run.line += text
            return len(text)
        *lines, run.line = (run.line + text).split("\n")
        if len(run.line) >= _LINE:
            lines.append(run.line)
            run.line = ""
        self._pass_on("".join(f"{run.binding} | {line}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Pass it on."""
        with suppress(OSError, ValueError):
            self._stderr.flush()

    def close(self) -> None:
        """Stay open: the next run prints here as well."""

    def _end_line(self, run: Run) -> None:
        if run.line:
            keep(run, "\n")
            self._pass_on(f"{run.binding} | {run.line}\n")
            run.line = ""
        if run.printed and run.length > KEPT:
            run.printed[-1] = f"\n[cut after {KEPT:,} of {run.length:,} characters]"

    def _pass_on(self, text: str) -> None:
        # A job must not fail because the terminal it reports to is gone.
        with suppress(OSError, ValueError):
            self._stderr.write(self._clean(text))


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is to a plugin."""

    def __init__(self, printed: Printed) -> None:
        self._printed = printed

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, raw: Any) -> int:
        """Write it as text."""
        self._printed.write(bytes(raw).decode("utf-8", "replace"))
        return len(raw)

    def close(self) -> None:
        """Stay open."""


def keep(run: Run, text: str) -> None:
    """Add to the run's record; what is beyond the limit is replaced by a mark, once."""
    if run.printed is None:
        run.printed = []
    room = KEPT - run.length
    run.length += len(text)
    if text and room >= 0:
        run.printed += [text] if len(text) <= room else [text[:room], "\n[more was printed]"]


@contextmanager
def captured(stderr: TextIO, clean: Callable[[str], str] = str) -> Iterator[None]:
    """Let everything that writes to `sys.stdout` or `sys.stderr` meanwhile write to standard error, line by line."""
    kept = sys.stdout, sys.stderr
    printed = Printed(stderr, clean)
    sys.stdout = sys.stderr = printed
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept
