"""Queues of events for jobs with rules, which process them in turn, and the watch for absent events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from slack_alert.core.content.markup import Markup
from slack_alert.core.events import Event
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Run
from slack_alert.core.pipeline.settle import settle
from slack_alert.core.units.humanize import format_time
from slack_alert.engine.batches import Batch, JobProgress
from slack_alert.engine.ports import Recorder
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.run_records import spoken_record


class AbsenceWatch:
    """Postpones the due times of jobs that await events when these come; `reset` may be called from any thread."""

    def __init__(self) -> None:
        self.awaiting: tuple[JobState, ...] = ()
        #: The events that sensors emit.
        self._emitted: set[str] = set()

    def watch(self, jobs: Iterable[JobState]) -> None:
        """Watch these jobs only."""
        job_states = tuple(jobs)
        self.awaiting = tuple(job_state for job_state in job_states if job_state.job.is_absence)
        self._emitted = (
            {job_state.job.emits for job_state in job_states if job_state.job.emits} if self.awaiting else set()
        )

    def allow_for(self, away: timedelta) -> dict[str, JobProgress]:
        """Exclude a downtime for jobs that await a sensor of this program, as the sensor did not run either."""
        fed = [job_state for job_state in self.awaiting if self._is_fed(job_state) and not job_state.state.is_alerting]
        for job_state in fed:
            job_state.anchor += away
        return {job_state.job.name: JobProgress(job_state.anchor) for job_state in fed}

    def unfinished(self) -> list[JobState]:
        """Return the jobs whose event came but whose recovery a crash lost; queue an event for each again."""
        alerting = [(job_state, job_state.state.incident) for job_state in self.awaiting if job_state.state.is_alerting]
        found = [
            job_state for job_state, incident in alerting if incident is not None and incident.last < job_state.anchor
        ]
        for job_state in found:
            assert job_state.job.rule is not None, "it awaits"
            job_state.events.append(Event(" or ".join(job_state.job.rule.on), job_state.anchor, {}))
        return found

    def reset(self, event: Event, now: datetime) -> dict[str, JobProgress]:
        """Restart the wait of the jobs that await an event; return their progress, for a restart."""
        moved: dict[str, JobProgress] = {}
        for job_state in self.awaiting:
            if job_state.job.rule is not None and job_state.job.rule.matches(event):
                # A sender's clock that is ahead must not silence the job.
                job_state.anchor = max(job_state.anchor, min(event.at, now))
                moved[job_state.job.name] = JobProgress(job_state.anchor)
        return moved

    def _is_fed(self, job_state: JobState) -> bool:
        return job_state.job.rule is not None and any(map(job_state.job.rule.matches_name, self._emitted))


def absence_text(job_state: JobState) -> str:
    """Return the missing event and since when, `no backup.done since Sat 21 Nov 02:00`; empty: none is awaited."""
    if job_state.job.rule is None or not job_state.job.is_absence:
        return ""
    return f"no {' or '.join(job_state.job.rule.on)} since {format_time(job_state.anchor, job_state.job.zone)}"


def end_absence(job_state: JobState, event: Event, run: int, mark: Markup, *, mute: str) -> Batch:
    """End the incident that an absence began; return the batch to be written."""
    came = Run(run, job_state.job.name, job_state.job.action, event.at, event=event.fields)
    before = job_state.state
    settlement = job_state.settle(lambda state: settle(job_state.job, state, came.posts, QUIET, mark, mute=mute))
    job_state.mark_accounted(event.at)
    record = spoken_record(job_state, came, QUIET, settlement)
    return Batch(
        states={job_state.job.name: job_state.state} if job_state.state is not before else {},
        seen={job_state.job.name: job_state.seen},
        records=[record._replace(reason=record.reason or f"{event.name} came", duration=None)],
        messages=list(settlement.messages),
    )


#: So many events wait for a job at most; further events count as overlapped.
WAITING = 1000


class EventQueues:
    """Runs jobs for events; called on the writer's thread only, as two threads would both find a job free."""

    def __init__(
        self,
        recorder: Recorder,
        mark: Markup,
        mute: Callable[[str, datetime], str],
        *,
        next_id: Callable[[], int],
        react: Callable[[JobState, Event], None],
    ) -> None:
        self._recorder = recorder
        self._mark = mark
        self._mute = mute
        self._next_id = next_id
        #: Runs a free job for an event, if the gate admits it.
        self._react = react

    def enqueue(self, job_state: JobState, event: Event) -> None:
        """Run the job for an event, at once or when it is free."""
        if len(job_state.events) < WAITING:
            job_state.events.append(event)
        else:
            reason = f"{WAITING:,} events waited already"
            self._recorder.record_quiet(Record(0, job_state.job.name, event.at, Verdict.OVERLAPPED, reason=reason))
        self.run_next(job_state)

    def run_next(self, job_state: JobState) -> None:
        """Run the job for its waiting events, while it is free."""
        while job_state.run is None and job_state.events:
            event = job_state.events.popleft()
            if job_state.job.is_absence:
                mute = self._mute(job_state.job.name, event.at)
                self._recorder.submit(end_absence(job_state, event, self._next_id(), self._mark, mute=mute))
            else:
                self._react(job_state, event)
