"""What goes on on the main loop beside the engine's thread: asking who somebody is, ending programs, alarms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime

from slack_alert.engine.ports import Clock

log = logging.getLogger(__name__)

#: An alarm is looked at so often, in seconds: the clock may be set meanwhile.
_STEP = 30.0


class LoopBeside:
    """Begins coroutines and keeps one alarm on the main loop; used on any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._tasks: set[asyncio.Task[object]] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        """Begin a coroutine; what it raises is logged."""
        try:
            self._loop.call_soon_threadsafe(self._begin, coroutine)
        except RuntimeError:  # The loop is closed: the program has ended.
            coroutine.close()

    def wake(self, at: datetime, call: Callable[[], object]) -> None:
        """Call at an instant, or a little later, instead of what was to be called before."""
        with suppress(RuntimeError):  # As above.
            self._loop.call_soon_threadsafe(self._set, at, call)

    def _begin(self, coroutine: Coroutine[object, object, object]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task broke", exc_info=error)

    def _set(self, at: datetime, call: Callable[[], object]) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        left = (at - self._clock.now()).total_seconds()
        if left <= 0:
            call()
        else:
            self._alarm = self._loop.call_later(min(left, _STEP), self._set, at, call)
