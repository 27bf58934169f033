"""Notices jobs that are still running when they are due again, and why; posted once, not at every slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Notice
from slack_alert.core.model.run import Run
from slack_alert.core.units.humanize import counted, plural
from slack_alert.engine.runs.job_state import JobState

#: After so many slots in a row that found the job still running, a notice is posted.
_OVERLAPS = 3


class Overlaps:
    """Counts overlapped slots, and posts a notice of them."""

    def __init__(self, tell: Callable[[Notice, str, Address], None], runs: Callable[[], list[Run]]) -> None:
        self._tell = tell
        self._runs = runs
        #: A notice of too few threads was posted, and some run still waits for a thread.
        self.is_full = False

    def overlapped(self, job_state: JobState) -> None:
        """Count a slot that found the job's run in progress, or waiting to begin."""
        if job_state.run is None or job_state.run.progress.has_returned:  # A slow or full disk is not the job's fault.
            return
        if job_state.run.progress.started is None:
            job_state.waits += 1
            if job_state.waits == _OVERLAPS:
                self._tell_full(job_state, job_state.run)
            return
        job_state.overlaps += 1  # A run that has waited for a thread may be too slow as well.
        if job_state.overlaps == _OVERLAPS and not job_state.is_told:
            job_state.is_told = True
            job, run = job_state.job, job_state.run
            text = f"{job.name} is still running: {_OVERLAPS} slots in a row found its run {run.id} going on."
            self._tell(Notice("overlaps", f"{run.id}/{run.slot.isoformat()}"), text, job.errors_to)

    def finished(self, job_state: JobState) -> None:
        """Reset the counts as the job's run has ended; a job that is always too slow gets no second notice."""
        job_state.is_told = job_state.is_told and job_state.overlaps > 0
        job_state.overlaps = job_state.waits = 0
        self.is_full = self.is_full and any(each.progress.started is None for each in self._runs())

    def _tell_full(self, job_state: JobState, run: Run) -> None:
        """Post, once for all waiting runs, which runs keep them waiting."""
        if not self.is_full:
            self.is_full = True
            busy = [each for each in self._runs() if each.progress.started is not None]
            origin = Notice("full", f"{run.id}/{run.slot.isoformat()}")
            self._tell(origin, waiting_text(run, busy), job_state.job.errors_to)


#: Names shown in a line; the rest is counted.
_NAMED = 10


def waiting_text(run: Run, going_on: Sequence[Run]) -> str:
    """Return why a run does not begin: other runs leave it no thread, or a function blocks the loop."""
    others = [each for each in going_on if each.action.is_async == run.action.is_async]
    if run.action.is_async:
        return (
            f"Coroutine functions wait, {run.binding} among them: a function stops the loop they share "
            f"({_listed(others)}). Make it a plain function, or let it await what takes long."
        )
    return (
        f"{_occupied(*(_where(others, is_stuck=is_stuck) for is_stuck in (False, True)))}; "
        f"other jobs wait, {run.binding} among them. Raise `threads`, or make these functions quicker."
    )


def _where(runs: Sequence[Run], *, is_stuck: bool) -> list[Run]:
    return [run for run in runs if run.progress.is_stuck is is_stuck]


def _occupied(busy: Sequence[Run], stuck: Sequence[Run]) -> str:
    """Return how the threads are occupied; a stuck thread is replaced, up to a number."""
    if not stuck:
        threads = "The thread is" if len(busy) == 1 else f"All {len(busy)} threads are"
        return f"{threads} busy with {_listed(busy)}"
    hang = f"{counted(len(stuck), 'thread')} {plural(len(stuck), 'is', 'are')} stuck in what was given up"
    words = f"{hang} ({_listed(stuck)})"
    if not busy:
        return words
    return f"{counted(len(busy), 'thread')} {plural(len(busy), 'is', 'are')} busy with {_listed(busy)}, and {words}"


def _listed(runs: Sequence[Run]) -> str:
    return first_names(sorted(each.binding for each in runs))


def first_names(names: Sequence[str], noun: str = "") -> str:
    """Return the first names and the number of the rest."""
    more = [f"{len(names) - _NAMED} more {noun}".rstrip()] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])
