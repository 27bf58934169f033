"""List the commands that run, wait in line, or are for later; and cancel one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from slack_alert.core.commands.answers import CommandProgress, RunState, RunView
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.queue import QueuedRun, QueueState, expected_starts, positions
from slack_alert.core.commands.queue_view import QueueView
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.request import CancelRun
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import StartedRun
from slack_alert.operations.requester import Requester

#: Returns how long a command usually takes, or None where that is not known.
Usual = Callable[[str], timedelta | None]
_NO_LIMITS: Mapping[str, int] = {}
_NO_PROGRESS: Mapping[int, CommandProgress] = {}


def queue_view(
    asked: Iterable[AskedCommand],
    running: Iterable[StartedRun],
    commands: Iterable[Command],
    usual: Usual,
    now: datetime,
    *,
    limits: Mapping[str, int] = _NO_LIMITS,
    progress: Mapping[int, CommandProgress] = _NO_PROGRESS,
) -> QueueView:
    """Return the queue as the rows of the store tell it.

    Locks with parameters are not in these rows, so that expected starts leave them out of account.
    """
    return view_of(queue_state(asked, running, commands), usual, now, limits=limits, progress=progress)


def still_open(asked: Iterable[AskedCommand], running: Iterable[StartedRun]) -> list[AskedCommand]:
    """Return the commands that go on at the next start, where no program runs: those that had begun are cut off."""
    begun = {each.run for each in running}
    return [each for each in asked if each.run not in begun]


def queue_state(
    asked: Iterable[AskedCommand], running: Iterable[StartedRun], commands: Iterable[Command]
) -> QueueState:
    """Return what runs and what waits by the rows of the store, without commands that only read."""
    known = {command.name: command for command in commands}
    started = {each.run: each.started for each in running}
    state = QueueState()
    for each in asked:
        command = known.get(each.command)
        # Nothing was decided yet about what has no number.
        if each.run and not (command is not None and command.is_reading):
            state = state.add(_queued(each, command, started.get(each.run)))
    return state


def view_of(
    state: QueueState,
    usual: Usual,
    now: datetime,
    *,
    limits: Mapping[str, int] = _NO_LIMITS,
    progress: Mapping[int, CommandProgress] = _NO_PROGRESS,
) -> QueueView:
    """Return what is told about all that runs and waits."""
    places = positions(state.waiting, now)
    expected = expected_starts(state.running, state.waiting, limits, usual, now)
    running = [
        RunView(run, RunState.RUNNING, now, progress=progress.get(run.run, CommandProgress()))
        for run in sorted(state.running, key=lambda run: run.started or run.asked)
    ]
    waiting = [
        RunView(
            run,
            RunState.QUEUED,
            now,
            position=places.get(run.run),
            expected=expected[run.run],
            held_by=_holder(state, run),
        )
        for run in state.waiting
    ]
    later = [view for view in waiting if view.position is None]
    return QueueView(now, tuple(running), tuple(view for view in waiting if view.position), tuple(later))


class CanceledRun(Struct, frozen=True):
    """A run that is to be canceled."""

    run: AskedCommand
    #: Whether it has started: its function is asked to end, and its programs are ended.
    is_running: bool
    #: Whether a running program takes it; else the next start does.
    is_taken: bool


def cancel(
    number: int, asked: Sequence[AskedCommand], running: Iterable[StartedRun], requester: Requester
) -> CanceledRun:
    """Cancel a run that waits or goes on; raise BadValue if there is none with this number."""
    found = next((each for each in asked if each.run == number), None)
    if found is None:
        open_numbers = ", ".join(str(each.run) for each in asked if each.run)
        hint = f"These run or wait: {open_numbers}." if open_numbers else "Nothing runs, and nothing waits."
        raise BadValue(f"There is no run {number} to cancel.", hint=hint)
    is_running = any(each.run == number for each in running)
    return CanceledRun(found, is_running, requester.ask(CancelRun(number, requester.by)))


def canceled_text(done: CanceledRun) -> str:
    """Return what was done."""
    became = "is asked to end" if done.is_running else "is taken out of the queue"
    return f"{done.run.run} ({done.run.words or done.run.command}) {became}."


def _queued(asked: AskedCommand, command: Command | None, started: datetime | None) -> QueuedRun:
    lock = command.lock if command is not None and "{" not in command.lock else ""
    return QueuedRun(
        asked.run,
        asked.command,
        asked.words or asked.command,
        asked.by.key,
        asked.by.name,
        command.queue if command is not None else None,
        lock,
        asked.at,
        asked.not_before,
        started,
    )


def _holder(state: QueueState, run: QueuedRun) -> QueuedRun | None:
    return next((each for each in state.running if run.lock and each.lock == run.lock), None)
