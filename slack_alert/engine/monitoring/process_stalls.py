"""Notices when the whole program stood still, as one does that is stopped by a signal: that time is nobody's."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from time import process_time

from slack_alert.engine.ports import Clock

#: How often a thread of its own looks whether time passes as usual, in seconds.
_EVERY = 0.5
#: A later look than this says that it did not.
_LATE = 2 * _EVERY
#: So many such times are remembered.
_KEPT = 100


class ProcessStalls:
    """Remembers the times in which no thread of the program ran; may be asked on any thread.

    A machine that sleeps needs none of this: the clock that runs are measured by sleeps with it.
    """

    def __init__(self, clock: Clock, used: Callable[[], float] = process_time) -> None:
        self._clock = clock
        #: The seconds of the processor that were used: who keeps all other threads from running is at work.
        self._used = used
        self._last = clock.monotonic(), used()
        self._times: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._never = threading.Event()

    def start(self) -> None:
        """Look from now on, as long as the program runs."""
        threading.Thread(target=self._watch, name="standstill", daemon=True).start()

    def tick(self) -> None:
        """Look whether time passed as usual."""
        with self._lock:
            self._look()

    def during(self, span: timedelta) -> timedelta:
        """Say how much of the time that ends now the program stood still."""
        with self._lock:
            now = self._look()
            since = now - span.total_seconds()
            return timedelta(seconds=sum(max(0.0, end - max(begin, since)) for begin, end in self._times))

    def _look(self) -> float:
        before, used_before = self._last
        now, used = self._last = self._clock.monotonic(), self._used()
        if now - before > _LATE and used - used_before < (now - before) / 2:
            self._times.append((before + _EVERY, now))
        return now

    def _watch(self) -> None:
        while not self._never.wait(_EVERY):
            self.tick()
