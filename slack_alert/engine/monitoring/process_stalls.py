"""Notices when the whole program stood still, such as while stopped by a signal: no run is charged for that time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from time import process_time

from slack_alert.engine.ports import Clock

#: Seconds between two ticks of the watching thread.
_EVERY = 0.5
#: A tick later than this shows a stall.
_LATE = 2 * _EVERY
#: How many stalls are kept.
_KEPT = 100


class ProcessStalls:
    """Records the times in which no thread of the program ran; may be used on any thread.

    Not needed for a machine that sleeps: the clock by which runs are measured sleeps with it.
    """

    def __init__(self, clock: Clock, used: Callable[[], float] = process_time) -> None:
        self._clock = clock
        #: Returns the CPU seconds used: a thread that keeps all others from running is working, not stalled.
        self._used = used
        self._last = clock.monotonic(), used()
        self._times: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._never = threading.Event()

    def start(self) -> None:
        """Watch from now on, on a thread that runs as long as the program."""
        threading.Thread(target=self._watch, name="standstill", daemon=True).start()

    def tick(self) -> None:
        """Record a stall since the last tick, if there was any."""
        with self._lock:
            self._look()

    def during(self, span: timedelta) -> timedelta:
        """Return how much of the span that ends now the program stood still."""
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
