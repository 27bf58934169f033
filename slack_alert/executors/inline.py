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

from slack_alert.core.model import Failure, Result, Run
from slack_alert.executors.interruption import watched
from slack_alert.executors.perform import Performer

log = logging.getLogger(__name__)

Done = Callable[[Run, Result], None]

#: A queue that stands still for so long means that every puller is blocked: another one starts.
_STANDSTILL = 0.005
#: A function seen to take longer runs alone next time, so that nothing queues behind it.
_SLOW = timedelta(seconds=0.05)
#: A puller with nothing to do leaves after so many seconds.
_IDLE = 30.0


class Inline:
    """At most `threads` plain functions at once; a blocking one delays nobody while there is room."""

    def __init__(self, performer: Performer, *, threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self._performer = performer
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
        plain = [(run, done) for run in runs if not run.action.is_async]
        for run in runs:
            if run.action.is_async:
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

    @property
    def queued(self) -> int:
        """How many runs wait for a puller."""
        return len(self._queue)

    def _begin(self, run: Run, done: Done) -> None:
        pending = self._loop.create_task(self._await(run, done))
        self._awaited.add(pending)
        pending.add_done_callback(self._awaited.discard)

    async def _await(self, run: Run, done: Done) -> None:
        try:
            result = await self._performer.await_(run)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the job must go on
            result = _broken(run, error)
        self._report(run, result, done)

    def _add_puller(self) -> None:
        """Wake a puller that has nothing to do, or start one where there is room."""
        if self._idle:
            self._changed.notify()
        elif self._pullers < self._most:
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
            try:
                result = self._performer.call(run)
            except BaseException as error:  # noqa: BLE001 - as above
                result = _broken(run, error)
            if result.duration > _SLOW:
                self._slow.add(run.binding)
            elif self._slow:
                self._slow.discard(run.binding)
            self._report(run, result, done)

    def _report(self, run: Run, result: Result, done: Done) -> None:
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


def _broken(run: Run, error: BaseException) -> Result:
    """Tell of what went wrong beside the function, and let its job go on."""
    log.error("call broke", extra={"job": run.binding, "run": run.id}, exc_info=error)
    # The log is where secrets are taken out.
    said = "something went wrong beside the function; the log has the traceback"
    kind = type(error).__name__
    return Result(failure=Failure(kind, said, f"{run.action.file}:{run.action.line}", f"{kind}: {said}\n"))


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
