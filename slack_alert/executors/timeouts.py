"""Call functions with a timeout: a coroutine is cancelled, a plain function that goes on is given up."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from traceback import walk_stack

from slack_alert.core.model.run import Failure, Result, Run
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.failures import internal_error_result, suspended_frames, with_generator_frames
from slack_alert.executors.deadlines import Deadlines

log = logging.getLogger(__name__)

#: Seconds that a coroutine has to end after it was cancelled.
_GRACE = 1.0

Report = Callable[[Result], None]


class TimedCalls:
    """Calls functions that have a timeout.

    A thread cannot be ended. A function that is given up is reported and goes on in its thread; what it posts or
    returns later is ignored.
    """

    def __init__(self, caller: Caller, more: Callable[[], None]) -> None:
        self._caller = caller
        #: Called when a thread is stuck, because another one may be needed.
        self._more = more
        self._deadlines = Deadlines()
        self._lock = threading.Lock()
        #: The number of threads whose function was given up, and of coroutines that do not end when cancelled.
        self.threads = 0
        self.coroutines = 0

    def call(self, run: Run, limit: timedelta, report: Report) -> Result | None:
        """Call a plain function; return None if it was given up and reported meanwhile, and returns only now."""
        expire = partial(self._expire, run, limit, report, threading.get_ident())
        watch = self._deadlines.start(limit.total_seconds(), expire)
        try:
            result = self._caller.call(run)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the watch must end
            result = internal_error_result(run, error)
        if self._deadlines.finish(watch) or not run.is_stuck:
            return result
        with self._lock:
            self.threads -= 1
        self._release(run)
        return None

    async def await_(self, run: Run, limit: timedelta, report: Report) -> None:
        """Await a coroutine function, cancel it if it takes too long, and report its result."""
        call = asyncio.get_running_loop().create_task(self._awaited(run))
        try:
            await asyncio.wait({call}, timeout=limit.total_seconds())
            if call.done():
                report(call.result())
                return
            stack = with_generator_frames(suspended_frames(call.get_coro()), run)
            failure = self._caller.timeout_failure(run, stack)
            call.cancel()
            await asyncio.wait({call}, timeout=_GRACE)
        except asyncio.CancelledError:  # The loop is ending.
            call.cancel()
            report(await call)
            return
        if call.done():
            report(Result(failure=failure, duration=limit))
            return
        self.coroutines += 1
        self._give_up(run, failure, limit, report)
        await asyncio.wait({call})
        self.coroutines -= 1
        self._release(run)

    async def _awaited(self, run: Run) -> Result:
        try:
            return await self._caller.await_(run)
        except BaseException as error:  # noqa: BLE001 - as above
            return internal_error_result(run, error)

    def _expire(self, run: Run, limit: timedelta, report: Report, thread: int) -> None:
        if run.is_canceled:  # The program is ending, and has given it up already.
            return
        # If threads are greenlets, none is found.
        frame = sys._current_frames().get(thread)
        stack = with_generator_frames(list(walk_stack(frame))[::-1] if frame else [], run)
        failure = self._caller.timeout_failure(run, stack)
        with self._lock:
            self.threads += 1
        self._more()
        self._give_up(run, failure, limit, report)
        if (cancel := run.cancel) is not None:
            cancel()

    def _give_up(self, run: Run, failure: Failure, limit: timedelta, report: Report) -> None:
        run.is_stuck = run.is_canceled = True
        stuck = self.threads + self.coroutines
        log.warning("run given up", extra={"job": run.binding, "run": run.id, "stuck": stuck})
        report(Result(failure=failure, duration=limit))
        self._caller.abandon(run)

    def _release(self, run: Run) -> None:
        """Allow the next run of the job."""
        run.is_stuck = False
        log.info("run returned after it was given up", extra={"job": run.binding, "run": run.id})
        if run.released is not None:
            run.released()
