"""The programs that plugin functions start: none outlives its run, and no Ctrl+C meant for us reaches one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from slack_alert.core.model.run import Run
from slack_alert.engine.context import process_tree

_Child = subprocess.Popen[Any]  # Any: of text, or of bytes

#: Whose a program is that belongs to no run.
_NOBODY = -1

#: So long a program has to end after it was asked to.
_GRACE = timedelta(seconds=1)


class Subprocesses:
    """The programs that are running, and the runs they belong to; used on any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[_Child, int] = {}
        #: How those are killed that somebody else looks after.
        self._kills: dict[_Child, Callable[[], object]] = {}
        #: By which all is found that the others have started.
        self._signs: dict[_Child, str] = {}

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

    def terminate(self, run: int) -> None:
        """End what a run has started; return when that is done, within little more than a second."""
        self._end([child for child, owner in list(self._running.items()) if owner == run])

    def end_all(self) -> None:
        """End all there are, as for one; to be called once their runs are marked as canceled."""
        self._end(list(self._running))

    def kill_all(self) -> None:
        """Kill all there are without waiting and without a lock, as the process itself is about to end."""
        for child in list(self._running):
            self._ending(child)()

    def _start(self, run: Run, argv: Sequence[str], *, env: Mapping[str, str], **options: Any) -> _Child:
        _refuse(run)
        sign = os.urandom(8).hex()
        child = subprocess.Popen(  # noqa: S603 - words, never a shell
            argv,
            start_new_session=True,
            creationflags=process_tree.APART,
            env=process_tree.signed(env, sign),
            **options,
        )
        with self._changed:
            self._signs[child] = sign
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
        kill = self._ending(child)
        _ask_to_end(child)
        _read_on(child)
        kill()
        _read_on(child)

    def _end(self, children: list[_Child]) -> None:
        if not children:  # As most runs have none.
            return
        kills = [self._ending(child) for child in children]
        for child in children:
            _ask_to_end(child)
        self._await_end(children)
        for kill in kills:
            kill()
        self._await_end(children)

    def _ending(self, child: _Child) -> Callable[[], object]:
        """Look what a program has started, while it is there to tell; return what kills all that is left of it then."""
        if (kill := self._kills.get(child)) is not None:
            return kill
        known = process_tree.family(child.pid) if child.returncode is None else []
        return partial(process_tree.kill, child, self._signs.get(child, ""), known)

    def _await_end(self, children: list[_Child]) -> None:
        """Wait a little for programs to end: each leaves when the thread that waits for it has seen its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._running.keys().isdisjoint(children), _GRACE.total_seconds())

    def _forget(self, child: _Child) -> None:
        with self._changed:
            self._running.pop(child, None)
            self._kills.pop(child, None)
            self._signs.pop(child, None)
            self._changed.notify_all()


def _read_on(child: _Child) -> None:
    """Wait a little for its end: a program whose last words nobody takes cannot end."""
    with suppress(subprocess.TimeoutExpired, ValueError):
        child.communicate(timeout=_GRACE.total_seconds())


def _refuse(run: Run) -> None:
    if run.is_canceled:
        raise RuntimeError(f"run {run.id} of {run.binding} was given up: it starts no further program")


if sys.platform == "win32":

    def _ask_to_end(child: _Child) -> None:
        with suppress(OSError):
            child.terminate()

else:

    def _ask_to_end(child: _Child) -> None:
        """Ask a program and its group to end, unless its id may be somebody else's by now."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGTERM)
