"""The programs that plugin functions start: none outlives its run, and none gets a Ctrl+C meant for us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from slack_alert.core.model.run import Run
from slack_alert.engine.context.streamed_program import StreamedProgram, follow
from slack_alert.engine.system import process_tree

_Child = subprocess.Popen[Any]  # Any: text or bytes

#: The run id of a program that belongs to no run.
_NOBODY = -1

#: How long a program has to end after SIGTERM.
_GRACE = timedelta(seconds=1)


class Subprocesses:
    """Starts and ends programs, and knows the runs they belong to; used on any thread."""

    def __init__(self, family: str = "") -> None:
        #: What tells the programs of this database's runs from all others, over restarts; empty: it does not matter.
        self._family = family
        self._changed = threading.Condition()
        self._running: dict[_Child, int] = {}
        #: Callbacks that kill the adopted programs.
        self._kills: dict[_Child, Callable[[], object]] = {}
        #: The signs that find the descendants of the others.
        self._signs: dict[_Child, str] = {}

    def call(
        self, run: Run, argv: Sequence[str], *, text: str | None, timeout: timedelta | None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Start a program and wait for its end; it is ended at the timeout, and on any exception.

        Where somebody waits for the run, what it prints is passed on as it comes.
        """
        if is_followed := run.reply_to is not None:
            options = {**options, "encoding": None, "errors": None, "bufsize": 0}
        child = self._start(run, argv, **options)
        try:
            with child:
                said = self._followed(run, child, text, timeout) if is_followed else self._wait(child, text, timeout)
        finally:
            self._forget(child)
        return subprocess.CompletedProcess(argv, child.returncode, said)

    def adopt(self, child: _Child, kill: Callable[[], object]) -> None:
        """Include a program that was started elsewhere in `end_all`; `kill` also ends its descendants."""
        with self._changed:
            self._kills[child] = kill
            self._running[child] = _NOBODY

    def release(self, child: _Child) -> None:
        """Forget a program that has ended."""
        self._forget(child)

    def terminate(self, run: int, *, grace: timedelta = _GRACE) -> None:
        """End the programs of a run; return when that is done, within little more than `grace`, which each is given."""
        self._end([child for child, owner in list(self._running.items()) if owner == run], grace)

    def end_all(self) -> None:
        """End all programs, as `terminate` does; to be called once their runs are marked as canceled."""
        self._end(list(self._running))

    def kill_all(self) -> None:
        """Kill all programs without waiting and without a lock, as the process itself is about to end."""
        for child in list(self._running):
            self._ending(child)()

    def end_former(self, runs: Iterable[int]) -> int:
        """End what runs have left that a former process was at when it was killed; return the number of processes."""
        return process_tree.end_signed(map(self._sign_of, runs), _GRACE.total_seconds()) if self._family else 0

    def _sign_of(self, run: int) -> str:
        return f"{self._family}.{run}" if self._family else ""

    def _start(self, run: Run, argv: Sequence[str], *, env: Mapping[str, str], **options: Any) -> _Child:
        _refuse(run)
        sign = os.urandom(8).hex()
        child = subprocess.Popen(  # noqa: S603 - words, never a shell
            argv,
            start_new_session=True,
            creationflags=process_tree.APART,
            env=process_tree.signed_environ(env, f"{self._sign_of(run.id)} {sign}".lstrip()),
            **options,
        )
        with self._changed:
            self._signs[child] = sign
            self._running[child] = run.id
        if run.progress.is_canceled:  # It was canceled meanwhile, perhaps before this program was listed.
            self._abandon(child, partial(_read_on, child))
            self._forget(child)
            _refuse(run)
        return child

    def _wait(self, child: _Child, text: str | None, timeout: timedelta | None) -> str:
        try:
            said: str = child.communicate(text, None if timeout is None else timeout.total_seconds())[0]
        except BaseException:
            self._abandon(child, partial(_read_on, child))
            raise
        return said

    def _followed(self, run: Run, child: _Child, text: str | None, timeout: timedelta | None) -> str:
        read_on: Callable[[], object] = partial(_read_on, child)
        try:
            program = StreamedProgram(child, text, follow(run))
            read_on = partial(program.read_on, _GRACE.total_seconds())
            return program.communicate(None if timeout is None else timeout.total_seconds())
        except BaseException:
            self._abandon(child, read_on)
            raise

    def _abandon(self, child: _Child, read_on: Callable[[], object]) -> None:
        """End a program whose output nobody waits for any more, and its descendants."""
        kill = self._ending(child)
        _ask_to_end(child)
        read_on()
        kill()
        read_on()

    def _end(self, children: list[_Child], grace: timedelta = _GRACE) -> None:
        if not children:  # Most runs have none.
            return
        kills = [self._ending(child) for child in children]
        for child in children:
            _ask_to_end(child)
        self._await_end(children, grace)
        for kill in kills:
            kill()
        self._await_end(children)

    def _ending(self, child: _Child) -> Callable[[], object]:
        """Find the descendants of a program while it is alive; return the callback that kills what is left later."""
        if (kill := self._kills.get(child)) is not None:
            return kill
        known = process_tree.descendants(child.pid) if child.returncode is None else []
        return partial(process_tree.kill, child, self._signs.get(child, ""), known)

    def _await_end(self, children: list[_Child], grace: timedelta = _GRACE) -> None:
        """Wait a little for programs to end: a program is removed by the thread that waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._running.keys().isdisjoint(children), grace.total_seconds())

    def _forget(self, child: _Child) -> None:
        with self._changed:
            self._running.pop(child, None)
            self._kills.pop(child, None)
            self._signs.pop(child, None)
            self._changed.notify_all()


def _read_on(child: _Child) -> None:
    """Read on for a while: a program cannot end while its output is blocked."""
    with suppress(subprocess.TimeoutExpired, ValueError):
        child.communicate(timeout=_GRACE.total_seconds())


def _refuse(run: Run) -> None:
    if run.progress.is_canceled:
        raise RuntimeError(f"run {run.id} of {run.binding} was given up: it starts no further program")


if sys.platform == "win32":

    def _ask_to_end(child: _Child) -> None:
        with suppress(OSError):
            child.terminate()

else:

    def _ask_to_end(child: _Child) -> None:
        """Send SIGTERM to a program and its group, unless its id may be reused by now."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGTERM)
