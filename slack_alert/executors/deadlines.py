"""Notice calls that take too long; a call that ends in time costs almost nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from slack_alert.core.structs import Struct

log = logging.getLogger(__name__)


class Deadline(Struct, eq=False):
    """The deadline of a call."""

    expires: float
    expire: Callable[[], object]


class Deadlines:
    """Calls `expire` for each deadline that passes, on a thread of its own, which ends when there is none left.

    A call either ends in time or expires, never both.
    """

    def __init__(self) -> None:
        #: A dictionary, because adding and removing are atomic.
        self._live: dict[Deadline, None] = {}
        self._changed = threading.Condition()
        self._telling = threading.Lock()
        #: The shortest limit so far: within this time no new call can expire.
        self._shortest = float("inf")
        self._is_watching = False

    def start(self, seconds: float, expire: Callable[[], object]) -> Deadline:
        """Start the deadline of a call that begins now."""
        watch = Deadline(monotonic() + seconds, expire)
        self._live[watch] = None
        if seconds < self._shortest or not self._is_watching:
            with self._changed:
                self._shortest = min(self._shortest, seconds)
                self._changed.notify()
                if not self._is_watching:
                    self._is_watching = True
                    threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        return watch

    def finish(self, watch: Deadline) -> bool:
        """Return whether the call ended in time; if not, its `expire` has returned."""
        if self._live.pop(watch, watch) is None:
            return True
        with self._telling:
            return False

    def _watch(self) -> None:
        while self._wait():
            now = monotonic()
            for watch in [each for each in list(self._live) if each.expires <= now]:
                self._expire(watch)

    def _expire(self, watch: Deadline) -> None:
        with self._telling:
            # The thread that removes it decides; the call may have ended just now.
            if self._live.pop(watch, watch) is watch:
                return
            try:
                watch.expire()
            except Exception:
                log.exception("expiry broke")

    def _wait(self) -> bool:
        """Wait until a deadline may have passed; return False if there is none left."""
        with self._changed:
            now = monotonic()
            first = min((watch.expires for watch in list(self._live)), default=now + self._shortest)
            is_idle = not self._live
            self._changed.wait(max(0.001, min(first - now, self._shortest)))
            if is_idle and not self._live:
                self._is_watching = False
                # A call that began before this line saw a running thread and relies on it.
                self._is_watching = bool(self._live)
                return self._is_watching
        return True
