"""Describe why a run failed: an exception, a timeout, or the end of its process."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, cast  # Any: a stand-in for no frames

import slack_alert
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.error_hints import with_advice
from slack_alert.core.errors import ProgramError, SlackAlertError
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Action, Failure, Result, Run, RunOptions
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.core.units.quantities import format_duration, format_size

_SIGNALS = {number.value: number.name for number in signal.Signals}
_HINTS = {"SIGKILL": ": the system kills the greatest process when memory runs out", "SIGSEGV": ": a library crashed"}

log = logging.getLogger(__name__)

#: A frame and its current line.
Place = tuple[FrameType, int]

#: Characters; a longer traceback is cut in the middle.
_TRACEBACK = 20_000
#: Characters; longer text with secrets is cut first, so that this cut lies in a part that is removed after redaction.
_WHOLE = 400_000
#: Lines that are kept of the output of a failed program.
_OUTPUT_LINES = 20
_CUT = "\n[...]\n"
#: The number of exceptions of a group that its message names.
_PARTS = 5


def failure_of(error: BaseException, action: Action) -> Failure:
    """Return an exception as a failure, with secrets; its place is the innermost line of plugin code.

    If there is no plugin code in the traceback, it is the first line of the action.
    """
    trace = _trace_of(error)
    places = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_plugin(frame)]
    text = _bounded(trace + _output_of(error))
    kind = type(error).__name__
    if isinstance(error, ProgramError):
        place = f"{action.file}:{action.line}"
        return Failure(error.ending, error.program, place, text, output=_last_lines(error), category=kind)
    return Failure(kind, with_advice(kind, _explained(error)[:_WHOLE]), _place(places, action), text)


def timeout_failure(action: Action, run_options: RunOptions, stack: Sequence[Place] = ()) -> Failure:
    """Return the failure of a run that took too long, with the place where it was, if that is known."""
    assert run_options.timeout is not None, "only a timeout makes it overdue"
    own = [each for each in stack if _is_plugin(each[0])]
    shown = list(stack)[stack.index(own[0]) :] if own else []
    said = f"took longer than {format_duration(run_options.timeout)} (timeout)"
    lines = traceback.StackSummary.extract(iter(shown)).format()
    head = "It was here (most recent call last):\n" if lines else ""
    text = f"{head}{''.join(lines)}TimeoutError: {said}\n"
    return Failure("TimeoutError", said, _place(own, action), _bounded(text), Verdict.TIMED_OUT)


def redact_failure(failure: Failure, redaction: Redaction) -> Failure:
    """Return a failure without secrets, and cut to its limits only after that."""
    return replace(
        failure,
        kind=redaction(failure.kind),
        message=redaction.head(failure.message, _TRACEBACK)[0],
        place=redaction(failure.place),
        traceback=redaction.redact_ends(failure.traceback, _TRACEBACK, _CUT),
        output=redaction(failure.output),
    )


def process_exit_failure(action: Action, run_options: RunOptions, code: int, *, is_cut: bool = False) -> Failure:
    """Return the failure of a run whose process ended before the function did."""
    name = _SIGNALS.get(-code, "")
    if is_cut:
        said = "its process was killed: something in it closed the pipe to this program, or wrote into it"
    elif name == "SIGXCPU" and run_options.cpu is not None:
        said = f"used more than {format_duration(run_options.cpu)} of the processor (cpu_limit)"
    elif code < 0:
        said = f"its process ended with signal {-code}{f' ({name})' if name else ''}{_HINTS.get(name, '')}"
    else:
        said = f"its process ended with exit code {code} before the function did: something in it called os._exit"
    return Failure("ProcessEnded", said, f"{action.file}:{action.line}", f"ProcessEnded: {said}\n")


def with_memory_limit(failure: Failure, run_options: RunOptions) -> Failure:
    """Add the memory limit to a MemoryError, because Python's own message is empty."""
    if failure.kind != "MemoryError" or failure.message or run_options.memory is None:
        return failure
    return replace(failure, message=f"needed more than {format_size(run_options.memory)} (memory_limit)")


def internal_error_result(run: Run, error: BaseException) -> Result:
    """Log an error outside of the function and return a result for the run, so that its job goes on."""
    log.error("call broke", extra={"job": run.binding, "run": run.id}, exc_info=error)
    # The logging removes secrets.
    said = _lack(error) or "something went wrong beside the function; the log has the traceback"
    kind = type(error).__name__
    return Result(failure=Failure(kind, said, f"{run.action.file}:{run.action.line}", f"{kind}: {said}\n"))


def with_attempt(failure: Failure, attempt: int, attempts: int) -> Failure:
    """Add to a failure which attempt it was."""
    traceback = f"{failure.traceback.rstrip()}\n(attempt {attempt} of {attempts})\n"
    return replace(failure, traceback=traceback, attempt=attempt)


def suspended_frames(suspended: object) -> list[Place]:
    """Return the frames where a suspended coroutine or generator waits, outermost first."""
    stack: list[Place] = []
    while suspended is not None:
        frame = _first_of(suspended, "cr_frame", "ag_frame", "gi_frame")
        if isinstance(frame, FrameType):
            stack.append((frame, frame.f_lineno))
        suspended = _first_of(suspended, "cr_await", "ag_await", "gi_yieldfrom")
    return stack


def with_generator_frames(stack: Sequence[Place], run: Run) -> list[Place]:
    """Add the frames of the run's generator if it is suspended between two values."""
    if any(_is_plugin(frame) for frame, _ in stack):
        return list(stack)
    return [*stack, *suspended_frames(run.progress.output.values if run.progress.output else None)]


def _first_of(thing: object, *names: str) -> object:
    return next((found for name in names if (found := getattr(thing, name, None)) is not None), None)


def _place(own: Sequence[Place], action: Action) -> str:
    return f"{_short(own[-1][0])}:{own[-1][1]}" if own else f"{action.file}:{action.line}"


def _bounded(text: str) -> str:
    return text if len(text) <= _WHOLE else f"{text[: _WHOLE // 2]}{_CUT}{text[-_WHOLE // 2 :]}"


def _trace_of(error: BaseException) -> str:
    """Return the traceback without this program's frames that called the function or read its value."""
    shown = traceback.TracebackException(type(error), error, _plugin_part(error.__traceback__))
    for link in _links(shown, set()):
        frames = _others(link.stack)
        # None stands for no frames, and prints no heading.
        link.stack = traceback.StackSummary.from_list(frames) if frames else cast("Any", None)
    return "".join(shown.format())


def _others(frames: Sequence[traceback.FrameSummary]) -> Sequence[traceback.FrameSummary]:
    """Return the frames that are not this program's, if it began here and no called library is in between."""
    if not frames or not _is_ours(frames[0]):
        return frames
    return [] if _is_ours(frames[-1]) else [frame for frame in frames if not _is_ours(frame)]


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_OURS)


#: The folder of this program's files.
_OURS = f"{Path(slack_alert.__file__).resolve().parent}{os.sep}"


def _links(error: traceback.TracebackException, seen: set[int]) -> Iterator[traceback.TracebackException]:
    """Yield an exception with its causes and contexts, and the members of groups."""
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    for link in (error.__cause__, error.__context__, *(getattr(error, "exceptions", None) or ())):
        if link is not None:
            yield from _links(link, seen)


def _output_of(error: BaseException) -> str:
    """Return the end of the output of a program that failed, which says why it did."""
    try:
        outputs = [getattr(error, name, None) for name in ("output", "stderr")]
    except BaseException:  # noqa: BLE001 - a property of the exception is a plugin's code
        return ""
    texts = [output.decode("utf-8", "replace") if isinstance(output, bytes) else output for output in outputs]
    said = "\n".join(text.strip("\r\n") for text in texts if isinstance(text, str) and text.strip())
    if not said:
        return ""
    lines = said.splitlines()
    last = lines[-_OUTPUT_LINES:]
    which = "" if len(last) == len(lines) else f", the last {len(last)} of {len(lines):,} lines"
    shown = "\n".join(last)
    return f"\nIts output{which}:\n{shown}\n"


def _last_lines(error: ProgramError) -> str:
    lines = error.output.strip("\r\n").splitlines()[-_OUTPUT_LINES:]
    return "\n".join(lines)[-_TRACEBACK:]


def _explained(error: BaseException) -> str:
    """Return the message, with what the machine lacks if that is the cause."""
    message, lack = _message(error), _lack(error)
    return f"{message.rstrip('.')}. {lack}" if lack else message


def _lack(error: BaseException) -> str:
    try:
        return machine_lack(error)
    except Exception:  # noqa: BLE001 - an exception's attributes may be a plugin's code
        return ""


def _message(error: BaseException) -> str:
    try:
        said = error.sentences if isinstance(error, SlackAlertError) else str(error)
        parts = getattr(error, "exceptions", None)
    except BaseException as broken:  # noqa: BLE001 - the exception's own __str__ is a plugin's code
        return f"({type(broken).__name__} while printing the message)"
    if not isinstance(parts, tuple):
        return said
    # The parts of a group say what happened.
    return "; ".join([said, *(f"{type(part).__name__}: {_message(part)}" for part in parts[:_PARTS])])


def _plugin_part(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without frames above the plugin's own; keep all if there are none."""
    part = trace
    while part is not None and not _is_plugin(part.tb_frame):
        part = part.tb_next
    return part or trace


def _is_plugin(frame: FrameType) -> bool:
    # By its module: a library may also have a folder of that name.
    return _module(frame).startswith(("plugins.", "packs."))


def _short(frame: FrameType) -> str:
    """Return the path of a frame's file below PATH, which has as many parts as the module's name."""
    file = Path(frame.f_code.co_filename)
    depth = _module(frame).count(".") + (2 if file.stem == "__init__" else 1)
    return "/".join(file.parts[-depth:])


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))
