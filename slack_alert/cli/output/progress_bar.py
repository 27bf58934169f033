"""A progress bar on standard error, for loading that takes more than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: Loading that is done by then draws nothing.
PATIENCE_SECONDS = 0.5
#: The least time between two drawings.
_REST_SECONDS = 0.05
_WIDTH = 24
_CLEAR = "\r\x1b[K"


@contextmanager
def loading(
    stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int], None] | None]:
    """Yield the function that takes the number of files done and their total; None if there is no terminal."""
    # Not sys.stderr: while plugins load, it captures their output.
    stream = stream or sys.__stderr__ or sys.stderr
    if not stream.isatty():
        yield None
        return
    bar = _Bar(stream, monotonic)
    try:
        yield bar.show
    finally:
        bar.clear()


class _Bar:
    """Draws and redraws a line."""

    def __init__(self, stream: TextIO, monotonic: Callable[[], float]) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._next = monotonic() + PATIENCE_SECONDS
        self._is_drawn = False

    def show(self, done: int, total: int) -> None:
        """Draw the progress, unless it was drawn a moment ago; at the end, clear the line."""
        if done >= total:
            self.clear()
        elif self._monotonic() >= self._next:
            self._next = self._monotonic() + _REST_SECONDS
            self._is_drawn = True
            filled = _WIDTH * done // total
            bar = "#" * filled + "." * (_WIDTH - filled)
            self._write(f"{_CLEAR}reading plugins [{bar}] {done}/{total}")

    def clear(self) -> None:
        """Clear the line."""
        if self._is_drawn:
            self._is_drawn = False
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
