"""Run an external program as it would run by itself: output and signals pass through, and output and exit are kept."""

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
from slack_alert.engine.system import process_tree
from slack_alert.executors.command_output import KeptOutput, OutputReader, ProgramOutput

#: Exit codes as in shells; the first is that of `timeout`.
TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND, SIGNALED = 124, 126, 127, 128

#: The time that a program has to end after it was asked to.
_GRACE = timedelta(seconds=5)
_LOCALE = b"LC_CTYPE="
_Child = subprocess.Popen[bytes]


class ProgramExit(Struct, frozen=True):
    """How a program ended."""

    #: As in a shell: 128 plus the signal's number if a signal ended it.
    code: int
    #: Its standard output and standard error, in the order they came.
    output: ProgramOutput
    duration: timedelta
    #: Its timeout, if it took longer.
    overrun: timedelta | None = None
    #: Why it could not be started.
    start_error: str = ""
    #: Its processor time, and its peak memory in bytes; 0: not known on this system.
    cpu: timedelta = timedelta()
    memory: int = 0
    #: Why its output could not be passed on.
    output_error: str = ""


def call(
    argv: Sequence[str],
    *,
    timeout: timedelta | None = None,
    out: int | None = 1,
    errors: int | None = 2,
    before: Callable[[], None] | None = None,
) -> ProgramExit:
    """Run a program to its end; its output goes on to these descriptors (None: nowhere).

    Signals that ask this process to end are passed on to it, and its end is waited for. `before` is called before the
    program starts, when such signals are already recorded.
    """
    # In a terminal it stays in the foreground: Ctrl+C reaches it directly, and it may read.
    process = _ProgramProcess(is_apart=sys.stdin is None or not sys.stdin.isatty(), is_limited=timeout is not None)
    kept = KeptOutput()
    with process.forward_signals():
        if before is not None:
            before()
        since = time.monotonic()
        try:
            child = process.start(argv)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            duration = timedelta(seconds=time.monotonic() - since)
            return ProgramExit(code, ProgramOutput(b""), duration, start_error=error.strerror or str(error))
        readers = _readers(child, out, errors, kept)
        is_timed_out = process.wait(child, timeout)
        ended = time.monotonic()
        left_open = [reader for reader in readers if not reader.is_finished(ended)]
    for reader in left_open:
        reader.hand_over()
    duration = timedelta(seconds=ended - since)
    code = child.returncode if child.returncode >= 0 else SIGNALED - child.returncode
    code, overrun = (TIMED_OUT, timeout) if is_timed_out else (code, None)
    output_error = next((reader.failure.strerror or "" for reader in readers if reader.failure), "")
    return ProgramExit(code, kept.output(), duration, overrun, "", *_used(), output_error)


def original_environment(environ: Mapping[str, str], given: bytes | None) -> dict[str, str]:
    """Return an environment with the locale that this process was given: Python replaces `C` by another.

    `given` is the environment at process start, as Linux keeps it (None: not known); see PEP 538.
    """
    if given is None:
        return dict(environ)
    before = [each.removeprefix(_LOCALE) for each in given.split(b"\0") if each.startswith(_LOCALE)]
    others = {name: value for name, value in environ.items() if name != "LC_CTYPE"}
    return {**others, "LC_CTYPE": os.fsdecode(before[0])} if before else others


class _ProgramProcess:
    """The program that is run, and the signals for it."""

    def __init__(self, *, is_apart: bool, is_limited: bool) -> None:
        #: Whether it has a process group of its own, which everything it starts belongs to.
        self._is_apart = is_apart
        #: A mark in the environment by which its descendants are found; empty: not needed, and not added.
        self._sign = os.urandom(8).hex() if is_limited else ""
        self._child: _Child | None = None
        #: Signals that came before it was started.
        self._early: list[int] = []

    def start(self, argv: Sequence[str]) -> _Child:
        """Start it; raise OSError if that fails."""
        environ = original_environment(os.environ, _given())
        self._child = subprocess.Popen(  # noqa: S603 - arguments, never a shell
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
        """Wait for its end; return whether it took too long and was ended."""
        try:
            child.wait(None if timeout is None else timeout.total_seconds())
        except subprocess.TimeoutExpired:
            self._end(child)
            return True
        return False

    @contextmanager
    def forward_signals(self) -> Iterator[None]:
        """Pass on signals that ask this process to end; those ignored by its parent (nohup) stay ignored."""
        numbers = [number for number in _PASSED if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._forward) for number in numbers}
        try:
            yield
        finally:
            for number, handling in before.items():
                signal.signal(number, handling)

    def _end(self, child: _Child) -> None:
        """End it with everything it has started, even outside of its group."""
        known = process_tree.descendants(child.pid)
        self._send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE.total_seconds())
        process_tree.kill(child, self._sign, known)
        self._send(_KILL)
        child.wait()

    def _forward(self, number: int, _: FrameType | None) -> None:
        if not self._is_apart and number == signal.SIGINT:
            return  # The terminal's Ctrl+C has reached it directly.
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
        """Return the processor time and peak memory of the programs that were waited for."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return timedelta(seconds=usage.ru_utime + usage.ru_stime), usage.ru_maxrss * _UNIT

    def _send(child: _Child, number: int, *, is_group: bool) -> None:
        """Send a signal to the program or to its group, which includes what it left behind."""
        with suppress(ProcessLookupError, PermissionError):
            if is_group:
                os.killpg(child.pid, number)
            elif child.returncode is None:
                os.kill(child.pid, number)
