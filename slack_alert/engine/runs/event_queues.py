"""Queues of events for jobs with rules, which process them in turn, and the watch for absent events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.content.markup import Markup
from slack_alert.core.events import AcceptedEvent, Answer, Emitted
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.run import QUIET, Run
from slack_alert.core.pipeline.settle import settle
from slack_alert.core.policy.mutes import MuteReason
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, JobProgress, StartedRun
from slack_alert.engine.ports import Recorder
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.run_records import spoken_record

log = logging.getLogger(__name__)


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
        self._emitted = {name for job_state in job_states for name in job_state.job.emits} if self.awaiting else set()

    def allow_for(self, away: timedelta) -> dict[str, JobProgress]:
        """Exclude a downtime for jobs that await a sensor of this program, as the sensor did not run either."""
        fed = [job_state for job_state in self.awaiting if self._is_fed(job_state) and not job_state.state.is_alerting]
        for job_state in fed:
            job_state.anchor += away
        return {job_state.job.name: JobProgress(job_state.anchor) for job_state in fed}

    def reset(self, event: Emitted, now: datetime) -> dict[str, JobProgress]:
        """Restart the wait of the jobs that await an event; return their progress, for a restart."""
        moved: dict[str, JobProgress] = {}
        for job_state in self.awaiting:
            if job_state.job.rule is not None and job_state.job.rule.matches(event, now):
                # A sender's clock that is ahead must not silence the job.
                job_state.anchor = max(job_state.anchor, min(event.at, now))
                moved[job_state.job.name] = JobProgress(job_state.anchor)
        return moved

    def _is_fed(self, job_state: JobState) -> bool:
        return job_state.job.rule is not None and any(map(job_state.job.rule.matches_name, self._emitted))


def absence_remarks(job_state: JobState) -> tuple[Reason, ...]:
    """Return the missing event and since when; nothing if none is awaited."""
    job = job_state.job
    if job.rule is None or not job.is_absence:
        return ()
    return (Reason(ReasonCode.ABSENT, since=job_state.anchor, what=" or ".join(job.rule.on), zone=str(job.zone)),)


def end_absence(job_state: JobState, event: Emitted, run: int, mark: Markup, *, mute: Reason | None) -> Batch:
    """End the incident that an absence began; return the batch to be written."""
    came = Run(run, job_state.job.name, job_state.job.action, event.at, event=event.fields)
    before = job_state.state
    settlement = job_state.settle(lambda state: settle(job_state.job, state, came.posts, QUIET, mark, mute=mute))
    job_state.mark_accounted(event.at)
    record, came_by = spoken_record(job_state, came, QUIET, settlement), (Reason(ReasonCode.CAME, what=event.name),)
    return Batch(
        states={job_state.job.name: job_state.state} if job_state.state is not before else {},
        seen={job_state.job.name: job_state.seen},
        records=[record._replace(reasons=record.reasons or came_by, duration=None)],
        messages=list(settlement.messages),
        answered=job_state.answered(run),
    )


def _cut_off_run(job_state: JobState, event: Emitted, cut_off: dict[tuple[str, datetime], int]) -> int:
    """Return the run that was answering an event when the program ended, or 0.

    The others that came at the same moment had not begun, unless they were collected for that run.
    """
    name, collect = job_state.job.name, job_state.job.rule.collect if job_state.job.rule is not None else None
    if collect is None:
        return cut_off.pop((name, event.at), 0)
    runs = (run for (job, slot), run in cut_off.items() if job == name and event.at <= slot <= event.at + collect)
    return next(runs, 0)


#: So many starts try to answer an event that a job had to answer next when the program ended.
_ATTEMPTS = 3


class EventQueues:
    """Runs jobs for events; called on the engine's own thread only, as two threads would both find a job free."""

    def __init__(
        self,
        recorder: Recorder,
        mark: Markup,
        mute: MuteReason,
        *,
        next_id: Callable[[], int],
        now: Callable[[], datetime],
        post: Callable[[Callable[[], object]], None],
        react: Callable[[JobState, Sequence[Emitted], datetime], bool],
    ) -> None:
        self._recorder = recorder
        self._mark = mark
        self._mute = mute
        self._next_id = next_id
        self._post = post
        #: Runs a free job for events, as of a moment; returns whether the gate admitted it.
        self._react = react
        self._now = now
        #: The jobs that collect events, by name, and until when each does.
        self._collecting: dict[str, tuple[datetime, JobState]] = {}
        self._is_stopped = False

    def enqueue(self, job_states: Iterable[JobState], event: Emitted) -> None:
        """Run the jobs for an event, at once or when they are free."""
        for job_state in job_states:
            job_state.events.append(event)
            self.run_next(job_state)

    def restore(
        self, job_states: Mapping[str, JobState], accepted: Iterable[AcceptedEvent], running: Iterable[StartedRun]
    ) -> None:
        """Run these jobs for the events that they had not answered when the program ended; on any thread.

        A run that was going on is `interrupted`: its event is given to it once more only if its job has retries. The
        first event of a job may be what ended the program, so it is given up after some attempts.
        """
        cut_off = {(each.binding, each.slot): each.run for each in running}
        batch, waiting = Batch(), dict[str, JobState]()
        unanswered = [(one, name) for one in accepted for name in one.jobs if name in job_states]
        for one, name in unanswered:
            job_state, event = job_states[name], one.event
            if not job_state.events:
                event = replace(event, attempts=event.attempts + 1)
            run = _cut_off_run(job_state, event, cut_off)
            if run and event.attempts > min(job_state.job.run_options.retries, 1):
                batch.answered.append(Answer(event.id, name, run))
                continue
            if job_state.job.rule is None or event.attempts > _ATTEMPTS:
                batch.answered.append(Answer(event.id, name))
                log.warning("an event is not answered", extra={"job": name, "event": event.name, "id": event.id})
                continue
            batch.accepted += [replace(one, event=event)] if event is not one.event else []
            job_state.events.append(event)
            waiting[name] = job_state
        if batch.accepted or batch.answered:
            self._recorder.submit(batch)
        for job_state in waiting.values():
            self._post(partial(self.run_next, job_state))

    def stop(self) -> None:
        """Begin no further runs: the events that wait are for the next start."""
        self._is_stopped = True

    def run_next(self, job_state: JobState) -> None:
        """Run the job for its waiting events, while it is free."""
        while job_state.run is None and job_state.events and not self._is_stopped:
            events, at = self._taken(job_state)
            if not events:
                return
            job_state.answering = tuple(event.id for event in events)
            if job_state.job.is_absence:
                mute = self._mute(job_state.job.name, at)
                self._recorder.submit(end_absence(job_state, events[0], self._next_id(), self._mark, mute=mute))
            elif not self._react(job_state, events, at) and (answered := job_state.answered()):
                self._recorder.submit(Batch(answered=answered))

    def next_release(self) -> datetime | None:
        """Return when the time to collect events is over next, or None; on any thread."""
        return min([until for until, _ in list(self._collecting.values())], default=None)

    def release(self) -> None:
        """Run the jobs whose time to collect events is over."""
        now = self._now()
        for name, (until, job_state) in list(self._collecting.items()):
            if until <= now:
                del self._collecting[name]
                self.run_next(job_state)

    def _taken(self, job_state: JobState) -> tuple[tuple[Emitted, ...], datetime]:
        """Take the events of the next run, none while they are collected; return them with its moment."""
        events, rule = job_state.events, job_state.job.rule
        if rule is None or rule.collect is None:
            event = events.popleft()
            return (event,), event.at
        until = events[0].at + rule.collect
        if until > self._now():
            self._collecting[job_state.job.name] = until, job_state
            return (), until
        taken = [events.popleft()]
        while events and events[0].at <= until:
            taken.append(events.popleft())
        return tuple(taken), until
