"""Run a program from outside as it would run by itself: its words pass through, its end is ours, and both are kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType

from slack_alert.core.structs import Struct
from slack_alert.engine.context import process_tree
from slack_alert.executors.command_output import KeptOutput, OutputReader, ProgramOutput

#: As shells have it; the first is what `timeout` gives.
TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND, SIGNALED = 124, 126, 127, 128

#: So long a program has to end after it was asked to.
_GRACE = timedelta(seconds=5)
_LOCALE = b"LC_CTYPE="
_Child = subprocess.Popen[bytes]


class ProgramExit(Struct, frozen=True):
    """How a program ended."""

    #: As a shell gives it: 128 and the signal's number where one ended it.
    code: int
    #: What it wrote to standard output and standard error, as it came.
    output: ProgramOutput
    duration: timedelta
    #: The time it had, where it took longer.
    overrun: timedelta | None = None
    #: Why it could not be started.
    obstacle: str = ""
    #: What it used of the processor, and the most memory it had, in bytes; 0: that is not known here.
    cpu: timedelta = timedelta()
    memory: int = 0
    #: Why what it wrote could not be passed on.
    unheard: str = ""


def call(
    argv: Sequence[str],
    *,
    timeout: timedelta | None = None,
    out: int | None = 1,
    errors: int | None = 2,
    before: Callable[[], None] | None = None,
) -> ProgramExit:
    """Run a program to its end; what it writes goes on to these descriptors (None: nowhere).

    Signals that ask this process to end are passed on to it, and its end is waited for. `before` is called before it
    begins, when such signals are remembered already.
    """
    # In a terminal it stays in the foreground: Ctrl+C reaches it by itself, and it may read.
    leash = _Leash(is_apart=sys.stdin is None or not sys.stdin.isatty(), is_limited=timeout is not None)
    kept = KeptOutput()
    with leash.heeded():
        if before is not None:
            before()
        since = time.monotonic()
        try:
            child = leash.start(argv)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            duration = timedelta(seconds=time.monotonic() - since)
            return ProgramExit(code, ProgramOutput(b""), duration, obstacle=error.strerror or str(error))
        readers = _readers(child, out, errors, kept)
        is_timed_out = leash.wait(child, timeout)
        ended = time.monotonic()
        left_open = [reader for reader in readers if not reader.is_finished(ended)]
    for reader in left_open:
        reader.leave()
    duration = timedelta(seconds=ended - since)
    code = child.returncode if child.returncode >= 0 else SIGNALED - child.returncode
    code, overrun = (TIMED_OUT, timeout) if is_timed_out else (code, None)
    unheard = next((reader.failure.strerror or "" for reader in readers if reader.failure), "")
    return ProgramExit(code, kept.output(), duration, overrun, "", *_used(), unheard)


def as_given(environ: Mapping[str, str], given: bytes | None) -> dict[str, str]:
    """Return an environment with the locale that this process was given: Python puts another one in place of `C`.

    `given` is what the process was started with, as Linux keeps it (None: that is not known); see PEP 538.
    """
    if given is None:
        return dict(environ)
    before = [each.removeprefix(_LOCALE) for each in given.split(b"\0") if each.startswith(_LOCALE)]
    others = {name: value for name, value in environ.items() if name != "LC_CTYPE"}
    return {**others, "LC_CTYPE": os.fsdecode(before[0])} if before else others


class _Leash:
    """The one program that is run, and what asks it to end."""

    def __init__(self, *, is_apart: bool, is_limited: bool) -> None:
        #: It has a group of its own, which everything it starts belongs to.
        self._is_apart = is_apart
        #: By which all is found that it has started; empty: nobody will look, and nothing is added to its environment.
        self._sign = os.urandom(8).hex() if is_limited else ""
        self._child: _Child | None = None
        #: Signals that came before it was there.
        self._early: list[int] = []

    def start(self, argv: Sequence[str]) -> _Child:
        """Start it; raise OSError where that cannot be."""
        environ = as_given(os.environ, _given())
        self._child = subprocess.Popen(  # noqa: S603 - words, never a shell
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=process_tree.signed_environ(environ, self._sign) if self._sign else environ,
            start_new_session=self._is_apart,
        )
        for number in self._early:
            self._send(number)
        return self._child

    def wait(self, child: _Child, timeout: timedelta | None) -> bool:
        """Wait for its end; tell whether it took too long and was ended."""
        try:
            child.wait(None if timeout is None else timeout.total_seconds())
        except subprocess.TimeoutExpired:
            self._end(child)
            return True
        return False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Pass on what asks this process to end; what whoever started it wants ignored (nohup) stays so."""
        numbers = [number for number in _PASSED if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._heed) for number in numbers}
        try:
            yield
        finally:
            for number, handling in before.items():
                signal.signal(number, handling)

    def _end(self, child: _Child) -> None:
        """End it with all it has started, wherever that hides."""
        known = process_tree.descendants(child.pid)
        self._send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE.total_seconds())
        process_tree.kill(child, self._sign, known)
        self._send(_KILL)
        child.wait()

    def _heed(self, number: int, _: FrameType | None) -> None:
        if not self._is_apart and number == signal.SIGINT:
            return  # The terminal's Ctrl+C has reached it already.
        if self._child is None:
            self._early.append(number)
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        if self._child is not None:
            _send(self._child, number, is_group=self._is_apart)


def _given() -> bytes | None:
    try:
        return Path("/proc/self/environ").read_bytes()
    except OSError:
        return None


def _readers(child: _Child, out: int | None, errors: int | None, kept: KeptOutput) -> list[OutputReader]:
    assert child.stdout is not None, "it is a pipe"
    assert child.stderr is not None, "as above"
    return [OutputReader(child.stdout, out, kept), OutputReader(child.stderr, errors, kept)]


if sys.platform == "win32":
    _PASSED = (signal.SIGINT, signal.SIGTERM)
    _KILL = signal.SIGTERM

    def _used() -> tuple[timedelta, int]:
        return timedelta(), 0

    def _send(child: _Child, number: int, *, is_group: bool) -> None:  # noqa: ARG001 - no groups here
        with suppress(OSError):
            child.send_signal(number)

else:
    import resource

    _PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    _KILL = signal.SIGKILL
    _UNIT = 1 if sys.platform == "darwin" else 1024

    def _used() -> tuple[timedelta, int]:
        """Say what the programs used whose end was waited for."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return timedelta(seconds=usage.ru_utime + usage.ru_stime), usage.ru_maxrss * _UNIT

    def _send(child: _Child, number: int, *, is_group: bool) -> None:
        """Send a signal to the program, or to its group: what it has left behind belongs to that, too."""
        with suppress(ProcessLookupError, PermissionError):
            if is_group:
                os.killpg(child.pid, number)
            elif child.returncode is None:
                os.kill(child.pid, number)
