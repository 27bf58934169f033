"""Capture what plugins print: to standard error as `job | line` and into the run record, never to standard output."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import TextIO

from slack_alert.core.model.run import Run, RunOutput, output_of
from slack_alert.core.redaction.redaction import REACH, Redaction
from slack_alert.engine.system.stand_in_stream import StandInStream

#: The run whose function is being called here (thread, greenlet or task).
current: ContextVar[Run | None] = ContextVar("slack_alert_run", default=None)

#: Characters at which a line is passed on without a line end.
_LINE = 8192
#: Characters of a run's output that are kept; the rest still reaches standard error.
KEPT = 256 * 1024
#: Characters that are held until the run ends, so that a secret across the limit is found.
_HELD = KEPT + REACH
_MORE = "\n[more was printed]"
_OPEN = Redaction()


class CapturedStream(StandInStream):
    """A standard output or error stream that knows which run writes to it."""

    def __init__(self, stderr: TextIO, redaction: Redaction = _OPEN) -> None:
        super().__init__(self._capture, flush=self._flush_stderr, fileno=stderr.fileno)
        self._stderr = stderr
        self._redaction = redaction
        self._names_jobs = isinstance(stderr, StandInStream) and stderr.names_jobs
        #: Text printed outside of runs since the last line end, by thread: a secret may come in two pieces.
        self._rests: dict[int, str] = {}

    def flush_line(self) -> None:
        """Pass on what was printed outside of runs without a line end."""
        while self._rests:
            self._write(self._redaction(self._rests.popitem()[1]))

    def _capture(self, text: str) -> None:
        """Pass the text on, line by line under the job's name."""
        run = current.get()
        if run is None:
            thread = threading.get_ident()
            if rest := self._passed_on(self._rests.pop(thread, "") + text, ""):
                self._rests[thread] = rest
            return
        output, name = output_of(run), "" if self._names_jobs else f"{run.binding} | "
        if output.end_line is None:
            output.end_line = partial(self._end_line, output, name)
        keep(output, text, self._redaction)
        if "\n" not in text and len(output.line) < _LINE:
            output.line += text
        else:
            output.line = self._passed_on(output.line + text, name)

    def _flush_stderr(self) -> None:
        with suppress(OSError, ValueError):
            self._stderr.flush()

    def _end_line(self, output: RunOutput, name: str) -> None:
        if output.line:
            keep(output, "\n", self._redaction)
            self._passed_on(f"{output.line}\n", name)
            output.line = ""
        if output.printed and output.length > KEPT:
            if output.length <= _HELD:
                _cut(output.printed, self._redaction)
            output.printed[-1] = f"\n[cut after {KEPT:,} of {output.length:,} characters]"

    def _passed_on(self, text: str, name: str) -> str:
        """Pass on whole lines and the start of a very long one; return the rest."""
        whole, end, rest = text.rpartition("\n")
        lines = self._redaction(whole).split("\n") if end else []
        if len(rest) >= _LINE + REACH:
            head, length = self._redaction.head(rest, len(rest) - REACH)
            lines.append(head)
            rest = rest[length:]
        if lines:
            self._write("".join(f"{name}{line}\n" for line in lines))
        return rest

    def _write(self, text: str) -> None:
        # A job must not fail because the terminal it reports to is gone.
        with suppress(OSError, ValueError):
            self._stderr.write(text)


def keep(output: RunOutput, text: str, redaction: Redaction = _OPEN) -> None:
    """Add text to what is kept; text beyond the limit is replaced by a mark, once."""
    if output.recent is not None:
        output.recent.add(text)
    before, output.length = output.length, output.length + len(text)
    if not text or before > _HELD:
        return
    if before > KEPT:
        output.printed.pop()
    output.printed.append(text[: _HELD - before])
    if output.length > KEPT:
        output.printed.append(_MORE)
    if output.length > _HELD:
        _cut(output.printed, redaction)


def keep_recent(output: RunOutput, redaction: Redaction) -> None:
    """Keep the last that was printed, not the first, of a run without an end."""
    if output.length > KEPT // 2:
        text = redaction("".join(output.printed))[-KEPT // 4 :]
        text = "[what was printed before is not kept]\n" + text.partition("\n")[2]
        output.printed, output.length = [text], len(text)


def _cut(printed: list[str], redaction: Redaction) -> None:
    """Cut the printed text to its limit, and leave the mark behind it."""
    printed[:] = [redaction.head("".join(printed[:-1]), KEPT)[0], printed[-1]]


@contextmanager
def captured(stderr: TextIO, redaction: Redaction = _OPEN) -> Iterator[None]:
    """Redirect `sys.stdout` and `sys.stderr` to standard error meanwhile, line by line."""
    kept = sys.stdout, sys.stderr
    printed = CapturedStream(stderr, redaction)
    sys.stdout = sys.stderr = printed
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept
        printed.flush_line()
