"""Ctrl+C while a function is called on the caller's own thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """Tell whether Ctrl+C was pressed meanwhile: a function may raise KeyboardInterrupt, or catch it, all by itself."""
    presses: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        assert callable(before)
        try:
            before(number, frame)
        except KeyboardInterrupt:
            presses.append(number)
            raise

    # Signals are the main thread's, and who ignores this one shall go on to do so.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(presses)
    finally:
        signal.signal(signal.SIGINT, before)
