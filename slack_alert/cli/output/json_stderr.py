"""Standard error as JSON: everything written to it becomes an object per line."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from slack_alert.engine.system.stand_in_stream import StandInStream

if TYPE_CHECKING:
    from datetime import tzinfo

log = logging.getLogger(__name__)

#: A line is logged at this length even without a line end.
_LONGEST = 64 * 1024
#: The last lines of child programs are waited for this long; a program that was left behind never closes its end.
_PATIENCE_SECONDS = 1.0


class JsonStream(StandInStream):
    """Replaces standard error: passes every line to the log's handler, like the log's own lines."""

    names_jobs = True

    def __init__(self, stream: TextIO, handler: logging.Handler) -> None:
        super().__init__(self._log_lines, flush=lambda: None, fileno=stream.fileno)
        self._stream = stream
        self._handler = handler
        #: The text since the last line end, by thread.
        self._rests: dict[int, str] = {}
        atexit.register(self.flush_line)

    @staticmethod
    def beneath(stream: TextIO) -> TextIO:
        """Return the stream that a JsonStream replaces; any other stream as it is."""
        return stream._stream if isinstance(stream, JsonStream) else stream

    @property
    def handler(self) -> logging.Handler:
        """The handler that writes the lines."""
        return self._handler

    def flush_line(self) -> None:
        """Log the text that has no line end yet."""
        while self._rests:
            self._tell(self._rests.popitem()[1])

    def _log_lines(self, text: str) -> None:
        thread = threading.get_ident()
        *lines, rest = (self._rests.pop(thread, "") + text).split("\n")
        if len(rest) >= _LONGEST:
            lines.append(rest)
        elif rest:
            self._rests[thread] = rest
        for line in lines:
            self._tell(line)

    def _tell(self, line: str) -> None:
        if line.strip():
            words = {"name": "stderr", "levelno": logging.INFO, "levelname": "INFO", "msg": line}
            self._handler.handle(logging.makeLogRecord(words))


def log_unhandled() -> None:
    """Log unhandled exceptions of all threads, which Python would print over many lines."""
    sys.excepthook = _log_unhandled
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable


def _log_unhandled(*raised: Any) -> None:  # Any: as it is declared there
    log.critical("unhandled exception", exc_info=raised)


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        raised = args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        name = args.thread.name if args.thread else None
        log.error("exception in a thread", exc_info=raised, extra={"in_thread": name})


def _log_unraisable(args: Any) -> None:  # Any: its type has no name that can be imported
    raised = args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    log.error(args.err_msg or "exception ignored", exc_info=raised)


@contextmanager
def filtered(stream: TextIO, zone: tzinfo) -> Iterator[None]:
    """Turn what child programs and C libraries write to descriptor 2 into JSON while the context is open.

    A process of its own reads it. A thread could not read while a library holds the interpreter's lock, and would lose
    the last words of a crash.
    """
    if (
        not isinstance(stream, JsonStream)
        or not isinstance(stream.handler, logging.StreamHandler)
        or not _is_real(stream)
    ):
        yield
        return
    kept = os.dup(2)
    helper = _start(kept, zone)
    own = open(kept, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115 - closed below
    before = stream.handler.setStream(own) if helper else None
    try:
        yield
    finally:
        stream.flush_line()
        if helper is not None:
            os.dup2(kept, 2)
            with suppress(subprocess.TimeoutExpired):
                helper.wait(_PATIENCE_SECONDS)
        if before is not None:
            stream.handler.setStream(before)
        with suppress(OSError):
            own.close()
        os.close(kept)


def _is_real(stream: JsonStream) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False


def _start(out: int, zone: tzinfo) -> subprocess.Popen[bytes] | None:
    """Start the process that filters descriptor 2 into `out`; return None if it cannot be started."""
    script = Path(__file__).with_name("json_filter.py")
    command = [sys.executable, "-I", "-S", str(script), getattr(zone, "key", "")]
    try:
        with _shielded():
            helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=out)  # noqa: S603 - our own
    except OSError as error:
        log.warning("what programs write to standard error is left as it is", extra={"reason": type(error).__name__})
        return None
    assert helper.stdin is not None
    with helper.stdin as end:
        os.dup2(end.fileno(), 2)
    return helper


@contextmanager
def _shielded() -> Iterator[None]:
    """Block signals meant for this program, such as Ctrl+C, in processes started while the context is open."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
