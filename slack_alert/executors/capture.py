"""What plugins print: to standard error as `job | line`, into the run record, never to standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TextIO

from slack_alert.core.model import Run

#: The run whose function is being called here (thread, greenlet or task).
current: ContextVar[Run | None] = ContextVar("slack_alert_run", default=None)

#: Characters of one run's output that are kept; what is beyond still reaches standard error.
_KEPT = 65_536


class Printed(io.TextIOBase):
    """A standard output that knows which run is writing to it."""

    def __init__(self, stderr: TextIO, clean: Callable[[str], str] = str) -> None:
        self._stderr = stderr
        #: Takes out what must not be seen.
        self._clean = clean

    def writable(self) -> bool:
        """Say yes."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute here
        """Give what plugins may ask for."""
        return "utf-8"

    def write(self, text: str) -> int:
        """Pass the text on, line by line under the job's name."""
        run = current.get()
        if run is None:
            self._pass_on(text)
            return len(text)
        keep(run, text)
        *lines, run.line = (run.line + text).split("\n")
        for line in lines:
            self._pass_on(f"{run.binding} | {line}\n")
        return len(text)

    def flush(self) -> None:
        """Pass it on."""
        with suppress(OSError, ValueError):
            self._stderr.flush()

    def _pass_on(self, text: str) -> None:
        # A job must not fail because the terminal it reports to is gone.
        with suppress(OSError, ValueError):
            self._stderr.write(self._clean(text))


def keep(run: Run, text: str) -> None:
    """Add to the run's record; what is beyond the limit is replaced by a mark, once."""
    if run.printed is None:
        run.printed = []
    room = _KEPT - run.length
    run.length += len(text)
    if text and room >= 0:
        run.printed.append(text if len(text) <= room else text[:room] + "\n[more was printed]")


@contextmanager
def captured(stderr: TextIO, clean: Callable[[str], str] = str) -> Iterator[None]:
    """Let everything that writes to `sys.stdout` meanwhile write to standard error."""
    kept = sys.stdout
    sys.stdout = Printed(stderr, clean)
    try:
        yield
    finally:
        sys.stdout = kept
