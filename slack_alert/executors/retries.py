"""Call failed runs again, as often as their job allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter

from slack_alert.core.model.run import DEFAULT_OPTIONS, Result, Run
from slack_alert.engine.ports import Executor
from slack_alert.executors.calling.failures import with_attempt

log = logging.getLogger(__name__)

Done = Callable[[Run, Result], None]


class _Trial:
    """A run that may be called again, until it is reported."""

    __slots__ = ("attempt", "begun", "done", "failed", "run", "started")

    def __init__(self, run: Run, done: Done) -> None:
        self.run = run
        self.done = done
        self.attempt = 1
        #: The time when the first attempt began.
        self.begun = 0.0
        self.started: datetime | None = None
        #: The last failure, while it waits for the next attempt.
        self.failed: Result | None = None

    @property
    def attempts(self) -> int:
        return self.run.run_options.retries + 1


class RetryingExecutor:
    """An executor around another one; all attempts are one run, of which the last one is reported.

    When the program ends, nothing is waited for: the last failure is reported.
    """

    def __init__(self, inner: Executor, *, loop: asyncio.AbstractEventLoop, chance: Callable[[], float]) -> None:
        self._inner = inner
        self._loop = loop
        self._chance = chance
        #: A dictionary, because removing is atomic: the thread that removes a run goes on with it.
        self._waiting: dict[_Trial, None] = {}
        self._is_stopped = False

    def submit(self, runs: Sequence[Run], done: Done) -> None:
        """Pass the runs on; for each run one result is reported."""
        patient = [run for run in runs if run.run_options is not DEFAULT_OPTIONS and run.run_options.retries]
        if not patient:
            self._inner.submit(runs, done)
            return
        if len(patient) < len(runs):
            self._inner.submit([run for run in runs if not run.run_options.retries], done)
        for run in patient:
            self._inner.submit([run], partial(self._ended, _Trial(run, done)))

    def stop(self) -> None:
        """Take no further run, and report those that wait for another attempt."""
        self._is_stopped = True
        for trial in list(self._waiting):
            if self._waiting.pop(trial, trial) is None:
                self._report(trial, trial.failed or Result())
        self._inner.stop()

    def _ended(self, trial: _Trial, run: Run, result: Result) -> None:
        if trial.attempt == 1:
            trial.started, trial.begun = run.started, perf_counter() - result.duration.total_seconds()
        is_over = result.failure is None or run.is_canceled or trial.attempt >= trial.attempts or self._is_stopped
        if is_over:
            self._report(trial, result)
            return
        assert result.failure is not None
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

    def _wait(self, trial: _Trial, delay: timedelta) -> None:
        self._loop.call_later(delay.total_seconds(), self._again, trial)
        if self._is_stopped:  # It may have been added after `stop` looked.
            self._again(trial)

    def _again(self, trial: _Trial) -> None:
        if self._waiting.pop(trial, trial) is not None:
            return
        if trial.run.is_canceled or self._is_stopped:
            self._report(trial, trial.failed or Result())
            return
        trial.attempt += 1
        self._inner.submit([trial.run], partial(self._ended, trial))

    def _report(self, trial: _Trial, result: Result) -> None:
        """Report all attempts as one run: its start is the first one's, and it says which attempt was the last."""
        trial.run.started = trial.started
        if trial.attempt > 1:
            tried = f"attempt {trial.attempt} of {trial.attempts}"
            trial.run.remark = "; ".join(filter(None, (trial.run.remark, tried)))
        whole = result._replace(duration=timedelta(0, perf_counter() - trial.begun))
        if result.failure is not None:
            whole = whole._replace(failure=with_attempt(result.failure, trial.attempt, trial.attempts))
        trial.done(trial.run, whole)
