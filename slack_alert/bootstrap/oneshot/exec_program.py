"""Record the end of a program that `slack-alert exec` ran, and report its failure."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.exec_policy import make_judge
from slack_alert.bootstrap.oneshot.requests import print_messages, submit
from slack_alert.bootstrap.runtime import new_mark
from slack_alert.core.model.record import Usage, Verdict
from slack_alert.core.model.request import Request
from slack_alert.core.model.run import Failure, Result, output_of
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.policy.quota import State
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.units.humanize import format_length
from slack_alert.core.units.quantities import format_duration
from slack_alert.engine.requests.external_runs import execution_request, external_run
from slack_alert.executors.external_program import SIGNALED, ProgramExit
from slack_alert.loader import plugins_folder

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: A failure is posted with so many of the last lines and characters of the output.
_LINES, _CHARACTERS = 15, 1500
_MINUTE = timedelta(minutes=1)
# Escape sequences for colours and cursor movement, and other control characters.
_STEERING = lazy_pattern(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def record_execution(
    settings: Settings,
    name: str,
    ended: ProgramExit,
    *,
    typed: str,
    started: datetime,
    to: str | None,
    then: Callable[[], object],
) -> bool:
    """Record a run under this name, and post its failure like an error; `then` is called once it cannot be lost.

    Return True if a running program takes it within a second, False if none was running and it was done here.
    """
    redaction = Redaction(settings.secrets())
    where = address(settings, to) if to else None
    written = ended.output.shown(redaction)
    run = external_run(name, started)
    output_of(run).printed.append(written)
    usage = Usage(ended.cpu, ended.memory) if ended.memory else None
    result = Result(failure=_failure(ended, redaction, written), duration=ended.duration, usage=usage)
    if settings.dry_run:
        judge = make_judge(settings, new_mark(), make_mutes(settings).reason)
        print_messages(settings, judge(State(), run, result, where).messages, sys.stderr, at=run.slot)
        return True
    plugins_folder(settings.path)  # A wrong path raises before anything is created there.
    return submit(settings, Request.of(execution_request(run, result, where, typed=typed), started), then=then)


def _failure(ended: ProgramExit, redaction: Redaction, written: str) -> Failure | None:
    if not ended.code:
        return None
    said = _ending_text(ended) if ended.start_error else f"{_ending_text(ended)} after {_duration_text(ended.duration)}"
    if ended.overrun is not None:
        said += f" (--timeout {format_duration(ended.overrun)})"
    verdict = Verdict.ERROR if ended.overrun is None else Verdict.TIMED_OUT
    output = _last_lines(written, redaction)
    category = "not started" if ended.start_error else f"exit code {ended.code}"
    return Failure(said, redaction(ended.start_error), "", f"{_ending_text(ended)}\n", verdict, output, category)


def _ending_text(ended: ProgramExit) -> str:
    """Return the way it ended in words, such as `exit code 2` or `exit code 137 (SIGKILL)`."""
    if ended.overrun is not None:
        return "given up"
    if ended.start_error:
        return "not started"
    if ended.code > SIGNALED:
        with suppress(ValueError):
            return f"exit code {ended.code} ({signal.Signals(ended.code - SIGNALED).name})"
    return f"exit code {ended.code}"


def _duration_text(duration: timedelta) -> str:
    if duration >= _MINUTE:
        return format_length(duration, is_exact=True)
    seconds = duration.total_seconds()
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _last_lines(written: str, redaction: Redaction) -> str:
    """Return the end of the output as a chat can show it."""
    # Of a line that was overwritten again and again only the last state counts.
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in written.rstrip().split("\n")[-_LINES:]]
    # Redacted once more: a secret that was coloured in parts is in one piece now.
    told = redaction(_STEERING.sub("", "\n".join(lines)).strip("\n"))
    return told if len(told) <= _CHARACTERS else f"…{told[-_CHARACTERS:]}"
