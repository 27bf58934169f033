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
from slack_alert.engine.ports import RunHost
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.failures import internal_error_result, suspended_frames, with_generator_frames
from slack_alert.executors.deadlines import Deadlines

log = logging.getLogger(__name__)

#: Seconds that a coroutine has to end after it was cancelled.
_GRACE = 1.0

Report = Callable[[Run, RunHost, Result], None]


class TimedCalls:
    """Calls functions that have a timeout.

    A thread cannot be ended. A function that is given up is reported and goes on in its thread; what it posts or
    returns later is ignored.
    """

    def __init__(self, caller: Caller, report: Report, more: Callable[[], None]) -> None:
        self._caller = caller
        self._report = report
        #: Called when a thread is stuck, because another one may be needed.
        self._more = more
        self._deadlines = Deadlines()
        self._lock = threading.Lock()
        #: The number of threads whose function was given up, and of coroutines that do not end when cancelled.
        self.threads = 0
        self.coroutines = 0

    def call(self, run: Run, host: RunHost, limit: timedelta) -> Result | None:
        """Call a plain function; return None if it was given up and reported meanwhile, and returns only now."""
        expire = partial(self._expire, run, host, limit, threading.get_ident())
        watch = self._deadlines.start(limit.total_seconds(), expire)
        try:
            result = self._caller.call(run, host)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the watch must end
            result = internal_error_result(run, error)
        if self._deadlines.finish(watch) or not run.progress.is_stuck:
            return result
        with self._lock:
            self.threads -= 1
        self._release(run)
        return None

    async def await_(self, run: Run, host: RunHost, limit: timedelta) -> None:
        """Await a coroutine function, cancel it if it takes too long, and report its result."""
        call = asyncio.get_running_loop().create_task(self._awaited(run, host))
        try:
            await asyncio.wait({call}, timeout=limit.total_seconds())
            if call.done():
                self._report(run, host, call.result())
                return
            stack = with_generator_frames(suspended_frames(call.get_coro()), run)
            failure = self._caller.render.timeout_failure(run, stack)
            call.cancel()
            await asyncio.wait({call}, timeout=_GRACE)
        except asyncio.CancelledError:  # The loop is ending.
            call.cancel()
            self._report(run, host, await call)
            return
        if call.done():
            self._report(run, host, Result(failure=failure, duration=limit))
            return
        self.coroutines += 1
        self._give_up(run, host, failure, limit)
        await asyncio.wait({call})
        self.coroutines -= 1
        self._release(run)

    async def _awaited(self, run: Run, host: RunHost) -> Result:
        try:
            return await self._caller.await_(run, host)
        except BaseException as error:  # noqa: BLE001 - as above
            return internal_error_result(run, error)

    def _expire(self, run: Run, host: RunHost, limit: timedelta, thread: int) -> None:
        if run.progress.is_canceled:  # The program is ending, and has given it up already.
            return
        # If threads are greenlets, none is found.
        frame = sys._current_frames().get(thread)
        stack = with_generator_frames(list(walk_stack(frame))[::-1] if frame else [], run)
        failure = self._caller.render.timeout_failure(run, stack)
        with self._lock:
            self.threads += 1
        self._more()
        self._give_up(run, host, failure, limit)
        if (output := run.progress.output) is not None and (cancel := output.cancel) is not None:
            cancel()

    def _give_up(self, run: Run, host: RunHost, failure: Failure, limit: timedelta) -> None:
        run.progress.is_stuck = run.progress.is_canceled = True
        stuck = self.threads + self.coroutines
        log.warning("run given up", extra={"job": run.binding, "run": run.id, "stuck": stuck})
        self._report(run, host, Result(failure=failure, duration=limit))
        if run.action.takes_context:
            host.ended(run)

    def _release(self, run: Run) -> None:
        """Allow the next run of the job."""
        run.progress.is_stuck = False
        log.info("run returned after it was given up", extra={"job": run.binding, "run": run.id})
        if run.progress.released is not None:
            run.progress.released()
