"""Call functions in this process: plain ones on pullers of one queue, coroutine functions on the main loop.

Under gevent, whose patch turns threads into greenlets, the pullers are greenlets; this module does not depend on it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import random

from slack_alert.core.model.run import DEFAULT_OPTIONS, Isolation, Result, Run
from slack_alert.engine.ports import ExecutorLoad, RunHost
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.failures import internal_error_result
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.puller_pool import PullerPool
from slack_alert.executors.retries import Retries
from slack_alert.executors.timeouts import TimedCalls

log = logging.getLogger(__name__)


class PoolExecutor:
    """Runs at most `threads` plain functions at once; a blocking function delays no other while there is room.

    A thread that is stuck in a function that was given up is replaced by another one, up to `threads` times.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        threads: int,
        loop: asyncio.AbstractEventLoop,
        isolated: ProcessPool | None = None,
        chance: Callable[[], float] = random,
    ) -> None:
        self._caller = caller
        self._isolated = isolated
        self._pool = PullerPool(self._work, room=lambda: self._room)
        self._timed = TimedCalls(caller, self._report, self._pool.add)
        self._retries = Retries(self.submit, self._hand_back, loop=loop, chance=chance)
        self._loop = loop
        self._most = threads
        #: What is awaited, by the number of its run.
        self._awaited: dict[int, asyncio.Task[None]] = {}
        self._process = os.getpid()

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Queue the runs; the host is called on the puller or the loop that ran them."""
        plain = [(run, host) for run in runs if not run.action.is_async or self._is_isolated(run)]
        if len(plain) < len(runs):
            for run in runs:
                if run.action.is_async and not self._is_isolated(run):
                    self._loop.call_soon_threadsafe(self._begin, run, host)
        if plain:
            self._pool.submit(plain)

    def stop(self) -> None:
        """Take no further run; queued and running ones may end, and none is tried again."""
        self._retries.stop()
        self._pool.stop()
        if self._isolated is not None:
            self._isolated.stop()

    def cancel(self, run: Run, *, grace: timedelta) -> None:
        """Ask the function of a run to end, and end its process after `grace`; return when that is done.

        What is awaited is cancelled. A plain function in this process sees `ctx.canceled`, and may go on.
        """
        output = run.progress.output
        if output is not None and output.cancel is not None:
            output.cancel()
        if (pending := self._awaited.get(run.id)) is not None:
            self._loop.call_soon_threadsafe(pending.cancel)
        if self._isolated is not None:
            self._isolated.cancel(run, grace)

    def load(self) -> ExecutorLoad:
        """Return the executor's present load."""
        timed = self._timed
        busy = max(self._pool.busy - timed.threads, 0)
        return ExecutorLoad(busy, self._most, timed.threads + timed.coroutines, self._pool.queued)

    @property
    def _room(self) -> int:
        return self._most + min(self._timed.threads, self._most)

    def _is_isolated(self, run: Run) -> bool:
        return run.run_options.isolation is Isolation.PROCESS and self._isolated is not None

    def _begin(self, run: Run, host: RunHost) -> None:
        pending = self._loop.create_task(self._await(run, host))
        self._awaited[run.id] = pending
        pending.add_done_callback(lambda _: self._awaited.pop(run.id, None))

    async def _await(self, run: Run, host: RunHost) -> None:
        if run.run_options.timeout is not None:
            await self._timed.await_(run, host, run.run_options.timeout)
            return
        try:
            result = await self._caller.await_(run, host)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the job must go on
            result = internal_error_result(run, error)
        self._report(run, host, result)

    def _work(self, run: Run, host: RunHost) -> timedelta | None:
        """Call and report a run; return None if it was given up and reported meanwhile."""
        result: Result | None
        try:
            is_plain = run.run_options is DEFAULT_OPTIONS
            result = self._caller.call(run, host) if is_plain else self._call(run, host)
        except BaseException as error:  # noqa: BLE001 - as above
            result = internal_error_result(run, error)
        if result is None:
            return None
        self._report(run, host, result)
        return result.duration

    def _call(self, run: Run, host: RunHost) -> Result | None:
        """Call a run as its options say; return None if it was given up and reported meanwhile."""
        if run.run_options.isolation is Isolation.PROCESS and self._isolated is not None:
            return self._isolated.call(run, host)
        if run.run_options.timeout is not None:
            return self._timed.call(run, host, run.run_options.timeout)
        return self._caller.call(run, host)

    def _report(self, run: Run, host: RunHost, result: Result) -> None:
        """Hand the result of a call back, unless the run is called again."""
        if os.getpid() != self._process:
            # The function forked and both came back: the child must not go on as a second program.
            os._exit(0)
        if run.run_options.retries:
            self._retries.add(run, host, result)
        else:
            self._hand_back(run, host, result)

    def _hand_back(self, run: Run, host: RunHost, result: Result) -> None:
        try:
            host.done(run, result)
        except BaseException:
            log.exception("report broke", extra={"job": run.binding, "run": run.id})
