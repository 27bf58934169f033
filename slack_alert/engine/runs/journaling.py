"""Journals what runs return until it is settled, so that the next start settles it after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from slack_alert.core.model.run import Result, Returned, Run
from slack_alert.engine.ports import Executor, Journal
from slack_alert.engine.runs.job_state import JobState

Done = Callable[[Run, Result], None]


class JournalingExecutor:
    """An executor that journals what its runs return until the settlement is committed."""

    def __init__(self, executor: Executor, journal: Journal) -> None:
        self._executor = executor
        self._journal = journal

    def submit(self, runs: Sequence[Run], done: Done) -> None:
        """Submit the runs to the executor, and journal what they return."""
        self._executor.submit(runs, partial(self._done, done))

    def stop(self) -> None:
        """Accept no further runs."""
        self._executor.stop()

    def _done(self, done: Done, run: Run, result: Result) -> None:
        if not result.pieces or not _is_plain(run):
            done(run, result)
            return
        returned = Returned(
            run.id, run.binding, run.slot, run.started, result.duration, result.pieces, result.numbers, run.remark
        )
        run.is_kept = self._journal.append(returned)
        try:
            done(run, result)
        finally:
            if run.is_kept:  # No batch has taken the entry over: the run is canceled.
                self._journal.release(1)


def resumed(job_states: Mapping[str, JobState], returned: Iterable[Returned]) -> Iterator[tuple[Run, Result]]:
    """Yield the runs of which a kill left only their return value, as if they had just ended."""
    for one in returned:
        job_state = job_states.get(one.binding)
        if job_state is None:
            continue
        job_state.mark_accounted(one.slot)
        job_state.run = Run(
            one.run, one.binding, job_state.job.action, one.slot, started=one.started, remark=one.remark
        )
        yield job_state.run, Result(one.pieces, None, one.duration, None, one.numbers)


def _is_plain(run: Run) -> bool:
    """Return whether a run is described by its return value alone; the slots of other runs run again after a kill."""
    return not (run.asked_by or run.event is not None or run.texts or run.held or run.is_withheld)
