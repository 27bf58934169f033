"""The programs that plugin functions start: none outlives its run, and no Ctrl+C meant for us reaches one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from slack_alert.core.model import Run

_Child = subprocess.Popen[Any]  # Any: of text, or of bytes

#: Whose a program is that belongs to no run.
_NOBODY = -1

#: So long a program has to end after it was asked to.
_GRACE = timedelta(seconds=1)


class Children:
    """The programs that are running, and the runs they belong to; used on any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[_Child, int] = {}
        #: How those are killed that somebody else looks after.
        self._kills: dict[_Child, Callable[[], object]] = {}

    def call(
        self, run: Run, argv: Sequence[str], *, text: str | None, timeout: timedelta | None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Start a program and wait for its end; it ends at the timeout, and with any exception."""
        child = self._start(run, argv, **options)
        try:
            with child:
                said = self._wait(child, text, timeout)
        finally:
            self._forget(child)
        return subprocess.CompletedProcess(argv, child.returncode, said)

    def adopt(self, child: _Child, kill: Callable[[], object]) -> None:
        """Have a program that somebody else looks after end with all the others; `kill` ends what it started, too."""
        with self._changed:
            self._kills[child] = kill
            self._running[child] = _NOBODY

    def release(self, child: _Child) -> None:
        """Forget a program; its end was taken note of."""
        self._forget(child)

    def end(self, run: int) -> None:
        """End what a run has started; return when that is done, within little more than a second."""
        self._end([child for child, owner in list(self._running.items()) if owner == run])

    def end_all(self) -> None:
        """End all there are, as for one; to be called once their runs are marked as canceled."""
        self._end(list(self._running))

    def kill_all(self) -> None:
        """Kill all there are without waiting and without a lock, as the process itself is about to end."""
        for child in list(self._running):
            self._send(child, _KILL)

    def _start(self, run: Run, argv: Sequence[str], **options: Any) -> _Child:
        _refuse(run)
        child = subprocess.Popen(  # noqa: S603 - words, never a shell
            argv, start_new_session=True, creationflags=_APART, **options
        )
        with self._changed:
            self._running[child] = run.id
        if run.is_canceled:  # Meanwhile; whoever canceled it may have looked before this one was there.
            self._abandon(child)
            self._forget(child)
            _refuse(run)
        return child

    def _wait(self, child: _Child, text: str | None, timeout: timedelta | None) -> str:
        try:
            said: str = child.communicate(text, None if timeout is None else timeout.total_seconds())[0]
        except BaseException:
            self._abandon(child)
            raise
        return said

    def _abandon(self, child: _Child) -> None:
        """End one that nobody reads from any more, and what it has started."""
        for number in (_TERMINATE, _KILL):
            _send(child, number)
            with suppress(subprocess.TimeoutExpired, ValueError):
                # Reads on: a program whose last words nobody takes cannot end.
                child.communicate(timeout=_GRACE.total_seconds())
                return

    def _end(self, children: list[_Child]) -> None:
        for number in (_TERMINATE, _KILL):
            for child in children:
                self._send(child, number)
            with self._changed:
                # Each leaves when the thread that waits for it has seen its end.
                if self._changed.wait_for(lambda: self._running.keys().isdisjoint(children), _GRACE.total_seconds()):
                    return

    def _forget(self, child: _Child) -> None:
        with self._changed:
            self._running.pop(child, None)
            self._kills.pop(child, None)
            self._changed.notify_all()

    def _send(self, child: _Child, number: int) -> None:
        kill = self._kills.get(child)
        if kill is not None and number == _KILL:
            kill()
        else:
            _send(child, number)


def _refuse(run: Run) -> None:
    if run.is_canceled:
        raise RuntimeError(f"run {run.id} of {run.binding} was given up: it starts no further program")


if sys.platform == "win32":
    _APART = subprocess.CREATE_NEW_PROCESS_GROUP
    _TERMINATE = _KILL = signal.SIGTERM

    def _send(child: _Child, number: int) -> None:
        with suppress(OSError):
            child.send_signal(number)

else:
    _APART = 0
    _TERMINATE, _KILL = signal.SIGTERM, signal.SIGKILL

    def _send(child: _Child, number: int) -> None:
        """Send a signal to a program and all it has started, unless its id may be somebody else's by now."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
