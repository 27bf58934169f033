"""Call functions in this process: plain ones on pullers of one queue, coroutine functions on the main loop.

Under gevent, whose patch turns threads into greenlets, the pullers are greenlets; nothing here knows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from slack_alert.core.care import CAREFREE, Isolation
from slack_alert.core.model import Result, Run
from slack_alert.engine.ports import Load
from slack_alert.executors.failures import beside
from slack_alert.executors.interruption import watched
from slack_alert.executors.overtime import Overtime
from slack_alert.executors.perform import Performer

log = logging.getLogger(__name__)

Done = Callable[[Run, Result], None]

#: A queue that stands still for so long means that every puller is blocked: another one starts.
_STANDSTILL = 0.005
#: A function seen to take longer runs alone next time, so that nothing queues behind it.
_SLOW = timedelta(seconds=0.05)
#: A puller with nothing to do leaves after so many seconds.
_IDLE = 30.0


class Apart(Protocol):
    """Calls functions in processes of their own."""

    def call(self, run: Run) -> Result:
        """Call it and wait for its end, which is at its timeout at the latest."""

    def stop(self) -> None:
        """Keep no process any longer than for its run."""


class Inline:
    """At most `threads` plain functions at once; a blocking one delays nobody while there is room.

    For a thread that is stuck in a function that was given up, another one stands in, up to `threads` times.
    """

    def __init__(
        self, performer: Performer, *, threads: int, loop: asyncio.AbstractEventLoop, apart: Apart | None = None
    ) -> None:
        self._performer = performer
        self._apart = apart
        self._overtime = Overtime(performer, self._stand_in)
        self._loop = loop
        self._most = threads
        self._queue: deque[tuple[Run, Done]] = deque()
        self._changed = threading.Condition()
        self._never = threading.Event()
        self._pullers = 0
        self._idle = 0
        self._taken = 0
        self._is_watched = False
        self._is_stopped = False
        self._slow: set[str] = set()
        self._awaited: set[asyncio.Task[None]] = set()
        self._process = os.getpid()

    def submit(self, runs: Sequence[Run], done: Done) -> None:
        """Queue the runs; `done` is called on the puller, or on the loop, that ran it."""
        plain = [(run, done) for run in runs if not run.action.is_async or self._is_apart(run)]
        if len(plain) < len(runs):
            for run in runs:
                if run.action.is_async and not self._is_apart(run):
                    self._loop.call_soon_threadsafe(self._begin, run, done)
        if not plain:
            return
        self._queue.extend(plain)
        with self._changed:
            is_alone = bool(self._slow) and any(run.binding in self._slow for run, _ in plain)
            if self._pullers == 0 or (is_alone and self._idle == 0):
                self._add_puller()
            else:
                self._changed.notify()
            if not self._is_watched and len(self._queue) > self._idle:
                self._is_watched = self._start(self._watch, "watch")

    def stop(self) -> None:
        """Take no further run; what is queued or going on may end."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._apart is not None:
            self._apart.stop()

    @property
    def queued(self) -> int:
        """How many runs wait for a puller."""
        return len(self._queue)

    @property
    def load(self) -> Load:
        """How full it is."""
        overtime = self._overtime
        busy = max(self._pullers - self._idle - overtime.threads, 0)
        return Load(busy, self._most, overtime.threads + overtime.coroutines, len(self._queue))

    @property
    def _room(self) -> int:
        return self._most + min(self._overtime.threads, self._most)

    def _is_apart(self, run: Run) -> bool:
        return run.care.isolation is Isolation.PROCESS and self._apart is not None

    def _begin(self, run: Run, done: Done) -> None:
        pending = self._loop.create_task(self._await(run, done))
        self._awaited.add(pending)
        pending.add_done_callback(self._awaited.discard)

    async def _await(self, run: Run, done: Done) -> None:
        if run.care.timeout is not None:
            await self._overtime.await_(run, run.care.timeout, partial(self._report, run, done))
            return
        try:
            result = await self._performer.await_(run)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the job must go on
            result = beside(run, error)
        self._report(run, done, result)

    def _stand_in(self) -> None:
        with self._changed:
            if self._queue:
                self._add_puller()

    def _add_puller(self) -> None:
        """Wake a puller that has nothing to do, or start one where there is room."""
        if self._idle:
            self._changed.notify()
        elif self._pullers < self._room:
            self._pullers += self._start(self._pull, f"puller-{self._pullers + 1}")

    def _start(self, target: Callable[[], None], name: str) -> bool:
        try:
            threading.Thread(target=target, name=name, daemon=True).start()
        except RuntimeError as error:  # The system has no room for one more; what waits goes on waiting.
            log.error("no thread to be had", extra={"puller": name, "reason": str(error)})  # noqa: TRY400 - as it says
            return False
        return True

    def _pull(self) -> None:
        while True:
            try:
                run, done = self._queue.popleft()
            except IndexError:
                if not self._wait():
                    return
                continue
            # A sign of progress for the watch; that two pullers may count as one does no harm.
            self._taken += 1
            result = self._call(run, done)
            if result is None:
                if self._is_replaced():
                    return
                continue
            if result.duration > _SLOW:
                self._slow.add(run.binding)
            elif self._slow:
                self._slow.discard(run.binding)
            self._report(run, done, result)

    def _call(self, run: Run, done: Done) -> Result | None:
        """Call it as its job asks for; None: it was given up and reported meanwhile."""
        try:
            if run.care is CAREFREE:
                return self._performer.call(run)
            if run.care.isolation is Isolation.PROCESS and self._apart is not None:
                return self._apart.call(run)
            if run.care.timeout is not None:
                return self._overtime.call(run, run.care.timeout, partial(self._report, run, done))
            return self._performer.call(run)
        except BaseException as error:  # noqa: BLE001 - as above
            return beside(run, error)

    def _is_replaced(self) -> bool:
        """Tell whether a puller that was stuck may go, because another one stands in for it; count it out."""
        with self._changed:
            is_replaced = self._pullers > self._room
            self._pullers -= is_replaced
        return is_replaced

    def _report(self, run: Run, done: Done, result: Result) -> None:
        if os.getpid() != self._process:
            # The function forked and both came back: the child must not go on as a second program.
            os._exit(0)
        try:
            done(run, result)
        except BaseException:
            log.exception("report broke", extra={"job": run.binding, "run": run.id})

    def _wait(self) -> bool:
        """Wait for a run; False: this puller may go."""
        with self._changed:
            is_wanted = True
            while not self._queue:
                if self._is_stopped or not is_wanted:
                    self._pullers -= 1
                    return False
                self._idle += 1
                is_wanted = self._changed.wait(_IDLE)
                self._idle -= 1
        return True

    def _watch(self) -> None:
        """Add a puller whenever runs wait and none was taken for a while."""
        while True:
            taken = self._taken
            self._never.wait(_STANDSTILL)
            with self._changed:
                if not self._queue:
                    self._is_watched = False
                    return
                if self._taken == taken:
                    self._add_puller()


class Direct:
    """Call functions at once on the caller's thread; a coroutine function gets a loop of its own."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    def submit(self, runs: Sequence[Run], done: Done) -> None:
        """Call them one after the other and report."""
        for run in runs:
            done(run, self.call(run))

    def call(self, run: Run) -> Result:
        """Call it and give the result; Ctrl+C ends the caller as well, not the function alone."""
        with watched() as is_interrupted:
            result = asyncio.run(self._performer.await_(run)) if run.action.is_async else self._performer.call(run)
        if is_interrupted():
            raise KeyboardInterrupt
        return result

    def stop(self) -> None:
        """Do nothing: nothing goes on."""
