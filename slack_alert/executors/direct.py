"""Call functions at once on the caller's thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from slack_alert.core.model.run import Result, Run
from slack_alert.engine.ports import RunHost
from slack_alert.engine.system.loop_runner import run_to_end
from slack_alert.executors.calling.call import Caller

if TYPE_CHECKING:
    from slack_alert.executors.isolated.process_pool import ProcessPool


@contextmanager
def watch_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield a call that tells whether Ctrl+C was pressed: a function may itself raise or catch KeyboardInterrupt."""
    presses: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        assert callable(before)
        try:
            before(number, frame)
        except KeyboardInterrupt:
            presses.append(number)
            raise

    # Only the main thread gets signals, and an ignored SIGINT stays ignored.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(presses)
    finally:
        signal.signal(signal.SIGINT, before)


class DirectExecutor:
    """Calls functions at once on the caller's thread; a coroutine function gets a loop of its own."""

    def __init__(self, caller: Caller, isolated: ProcessPool | None = None) -> None:
        self._caller = caller
        #: Calls functions of packs with an environment of their own.
        self._isolated = isolated

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Call the runs one after the other and report them."""
        for run in runs:
            host.done(run, self.call(run, host))

    def call(self, run: Run, host: RunHost) -> Result:
        """Call a run and return its result; Ctrl+C also ends the caller, not only the function."""
        with watch_interrupt() as is_interrupted:
            result = self._call(run, host)
        if is_interrupted():
            raise KeyboardInterrupt
        return result

    def _call(self, run: Run, host: RunHost) -> Result:
        if self._isolated is not None and run.action.pack is not None and run.action.pack.python:
            return self._isolated.call(run, host)
        return run_to_end(self._caller.await_(run, host)) if run.action.is_async else self._caller.call(run, host)

    def stop(self) -> None:
        """End idle processes; no run is going on."""
        if self._isolated is not None:
            self._isolated.stop()
