"""Call failed runs again, as often as their job allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter

from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.run import Result, Run
from slack_alert.core.structs import Struct
from slack_alert.engine.ports import RunHost
from slack_alert.executors.calling.failures import with_attempt

log = logging.getLogger(__name__)


class _Trial(Struct, eq=False):
    """A run that has failed and is called again, until it is reported."""

    run: Run
    host: RunHost
    #: The last failure.
    failed: Result
    #: When the first attempt began, on the clock and in seconds for its duration.
    started: datetime | None
    begun: float
    attempt: int = 1

    @property
    def attempts(self) -> int:
        return self.run.run_options.retries + 1


class Retries:
    """Calls failed runs again; all attempts are one run, of which the last one is reported.

    When the program ends, nothing is waited for: the last failure is reported.
    """

    def __init__(
        self,
        submit: Callable[[Sequence[Run], RunHost], None],
        report: Callable[[Run, RunHost, Result], None],
        *,
        loop: asyncio.AbstractEventLoop,
        chance: Callable[[], float],
    ) -> None:
        self._submit = submit
        self._report = report
        self._loop = loop
        self._chance = chance
        #: The runs that are called again, by id.
        self._called: dict[int, _Trial] = {}
        #: A dictionary, because removing is atomic: the thread that removes a run goes on with it.
        self._waiting: dict[_Trial, None] = {}
        self._is_stopped = False

    def add(self, run: Run, host: RunHost, result: Result) -> None:
        """Add the result of an attempt: report it, or let another one follow."""
        trial = self._called.pop(run.id, None)
        if trial is None:
            if result.failure is None:
                self._report(run, host, result)
                return
            begun = perf_counter() - result.duration.total_seconds()
            trial = _Trial(run, host, result, run.progress.started, begun)
        is_over = run.progress.is_canceled or trial.attempt >= trial.attempts or self._is_stopped
        if result.failure is None or is_over:
            self._report(run, host, _whole(trial, result))
            return
        delay = run.run_options.delay(trial.attempt, self._chance())
        trial.failed = result
        self._waiting[trial] = None
        log.warning(
            "run failed and is tried again",
            extra={
                "job": run.binding, "run": run.id, "attempt": trial.attempt, "of": trial.attempts,
                "seconds": round(delay.total_seconds(), 3), "error": f"{result.failure.kind}: {result.failure.message}",
            },
        )  # fmt: skip
        self._loop.call_soon_threadsafe(self._wait, trial, delay)

    def stop(self) -> None:
        """Call nothing again, and report the runs that wait for another attempt."""
        self._is_stopped = True
        for trial in list(self._waiting):
            if self._waiting.pop(trial, trial) is None:
                self._report(trial.run, trial.host, _whole(trial, trial.failed))

    def _wait(self, trial: _Trial, delay: timedelta) -> None:
        self._loop.call_later(delay.total_seconds(), self._again, trial)
        if self._is_stopped:  # It may have been added after `stop` looked.
            self._again(trial)

    def _again(self, trial: _Trial) -> None:
        if self._waiting.pop(trial, trial) is not None:
            return
        if trial.run.progress.is_canceled or self._is_stopped:
            self._report(trial.run, trial.host, _whole(trial, trial.failed))
            return
        trial.attempt += 1
        self._called[trial.run.id] = trial
        self._submit((trial.run,), trial.host)


def _whole(trial: _Trial, result: Result) -> Result:
    """Return the result of all attempts as one run: its start is the first one's, and it says which was the last."""
    trial.run.progress.started = trial.started
    if trial.attempt > 1:
        trial.run.progress.remarks += (Reason(ReasonCode.RETRIED, count=trial.attempt, limit=trial.attempts),)
    whole = result._replace(duration=timedelta(0, perf_counter() - trial.begun))
    if result.failure is not None:
        whole = whole._replace(failure=with_attempt(result.failure, trial.attempt, trial.attempts))
    return whole
