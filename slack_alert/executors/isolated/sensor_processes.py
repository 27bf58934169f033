"""Call the functions of sensors that run for ever: each on a thread, and in a process, of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from slack_alert.core.model.run import Run
from slack_alert.engine.ports import RunHost
from slack_alert.executors.calling.failures import internal_error_result
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.isolated.protocol import PluginSources


class SensorProcesses:
    """Calls functions that do not return; the pool keeps no process for another one."""

    def __init__(self, pool: ProcessPool, sources: PluginSources) -> None:
        self._pool = pool
        self._sources = sources

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Start a process for each run."""
        for run in runs:
            threading.Thread(target=self._call, args=(run, host), name=run.binding, daemon=True).start()

    def stop(self) -> None:
        """Do nothing: no process is kept."""

    def cancel(self, run: Run, *, grace: timedelta) -> None:
        """Ask the process of a run to end, and kill it after `grace`; return when it has ended."""
        run.progress.is_canceled = True
        self._pool.cancel(run, grace)

    def pid(self, run: Run) -> int | None:
        """Return the process of a run."""
        return self._pool.pid(run)

    def version(self, name: str) -> object:
        """Return the contents of a sensor's files."""
        return self._sources.contents_for(name)

    def _call(self, run: Run, host: RunHost) -> None:
        try:
            result = self._pool.call(run, host)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the sensor has ended
            result = internal_error_result(run, error)
        host.done(run, result)
