"""Jobs that are still running when they are due again, and why: told once, not at every slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Run
from slack_alert.engine.runs.job_state import JobState

#: A job whose slots found it still running so many times in a row is told once.
_OVERLAPS = 3


class Overlaps:
    """Counts what was overlapped, and tells of it."""

    def __init__(self, tell: Callable[[str, str, Address], None], runs: Callable[[], list[Run]]) -> None:
        self._tell = tell
        self._runs = runs
        #: That there are too few threads was told, and some run still waits for one.
        self._is_full = False

    def overlapped(self, job_state: JobState) -> None:
        """Take note of a slot that found the job's run going on, or waiting to begin."""
        if job_state.run is None or job_state.run.has_returned:  # A disk that is slow or full is not the job's fault.
            return
        if job_state.run.started is None:
            job_state.waits += 1
            if job_state.waits == _OVERLAPS:
                self._tell_full(job_state, job_state.run)
            return
        job_state.overlaps += 1  # It may be too slow as well.
        if job_state.overlaps == _OVERLAPS and not job_state.is_told:
            job_state.is_told = True
            job, run = job_state.job, job_state.run
            text = f"{job.name} is still running: {_OVERLAPS} slots in a row found its run {run.id} going on."
            self._tell(f"overlaps/{run.id}/{run.slot.isoformat()}", text, job.errors_to)

    def finished(self, job_state: JobState) -> None:
        """Take note that the job's run has ended; one that is always too slow is not told of again."""
        job_state.is_told = job_state.is_told and job_state.overlaps > 0
        job_state.overlaps = job_state.waits = 0
        self._is_full = self._is_full and any(each.started is None for each in self._runs())

    def _tell_full(self, job_state: JobState, run: Run) -> None:
        """Tell once for all that wait who keeps them waiting."""
        if not self._is_full:
            self._is_full = True
            busy = [each for each in self._runs() if each.started is not None]
            self._tell(f"full/{run.id}/{run.slot.isoformat()}", waiting_text(run, busy), job_state.job.errors_to)


#: Names told in one line; the rest is counted.
_NAMED = 10


def waiting_text(run: Run, going_on: Sequence[Run]) -> str:
    """Return why a run does not begin: those that go on leave it no thread, or one of them stops the loop."""
    others = [each for each in going_on if each.action.is_async == run.action.is_async]
    if run.action.is_async:
        return (
            f"Coroutine functions wait, {run.binding} among them: a function stops the loop they share "
            f"({_listed(others)}). Make it a plain function, or let it await what takes long."
        )
    return (
        f"{_occupied([each for each in others if not each.is_stuck], [each for each in others if each.is_stuck])}; "
        f"other jobs wait, {run.binding} among them. Raise `threads`, or make these functions quicker."
    )


def _occupied(busy: Sequence[Run], stuck: Sequence[Run]) -> str:
    """Return what the threads do; for one that is stuck another one stands in, up to a number."""
    if not stuck:
        threads = "The thread is" if len(busy) == 1 else f"All {len(busy)} threads are"
        return f"{threads} busy with {_listed(busy)}"
    hang = f"{_count(len(stuck), 'thread')} {'is' if len(stuck) == 1 else 'are'} stuck in what was given up"
    words = f"{hang} ({_listed(stuck)})"
    if not busy:
        return words
    return f"{_count(len(busy), 'thread')} {'is' if len(busy) == 1 else 'are'} busy with {_listed(busy)}, and {words}"


def _listed(runs: Sequence[Run]) -> str:
    return _some(sorted(each.binding for each in runs))


def _some(names: Sequence[str], noun: str = "") -> str:
    """Name the first ones, and count the rest."""
    more = [f"{len(names) - _NAMED} more {noun}".rstrip()] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
