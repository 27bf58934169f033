"""The state of a job in memory while the program runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.events import Answer, Emitted
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.incidents import clamp_to_now
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.structs import replace
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import JobProgress, Snapshot

#: Shared by the jobs without stored state, which are most.
FRESH = State()
#: Shared by the jobs without rules.
_NONE: deque[Emitted] = deque(maxlen=0)


class JobState:
    """A job with its changing state."""

    __slots__ = (
        "admitted",
        "anchor",
        "answering",
        "events",
        "hold",
        "is_gone",
        "is_resumed",
        "is_told",
        "job",
        "last",
        "overlaps",
        "run",
        "state",
        "waits",
    )

    def __init__(self, job: Job, state: State, seen: JobProgress, hold: Pause | None) -> None:
        self.job = job
        self.state = state
        self.hold = hold
        self.anchor = seen.first
        #: The last slot whose outcome is known.
        self.last = seen.last
        #: The run that is queued, in progress or being recorded.
        self.run: Run | None = None
        #: Events that wait for the job to be free.
        self.events: deque[Emitted] = deque() if job.rule else _NONE
        #: The ids of the events that the run answers, until that is written.
        self.answering: tuple[int, ...] = ()
        #: When the events happened that count against the most that its rule answers.
        self.admitted: tuple[datetime, ...] = ()
        #: Slots in a row that found the run in progress, and whether that was posted already.
        self.overlaps = 0
        #: Slots in a row that found the run waiting for a thread.
        self.waits = 0
        self.is_told = False
        #: Its file, or its place in it, is gone; a run in progress ends as any other.
        self.is_gone = False
        #: Somebody resumed it, which starts a sensor that runs for ever and has ended.
        self.is_resumed = False

    def replace_job(self, job: Job, now: datetime) -> None:
        """Replace the job by a later version and keep its state; a job that was gone begins at `now`."""
        if self.is_gone:
            self.mark_accounted(now)
        if job.is_absence and (self.is_gone or job.rule != self.job.rule):
            # Events before now were not watched for this rule.
            self.anchor, self.state = now, replace(self.state, incident=None)
        if job.rule is None:
            self.events = _NONE
        elif self.events is _NONE:
            self.events = deque()
        self.job = job
        self.is_gone = False

    @property
    def moved(self) -> Callable[[], datetime] | None:
        """Returns where the grid starts at present; None: it does not move, as the job awaits no events."""
        return (lambda: self.anchor) if self.job.is_absence else None

    def answered(self, run: int = 0) -> list[Answer]:
        """Return which events a run has answered, for the batch that says so; without a run, the gate has refused."""
        events, self.answering = self.answering, ()
        return [Answer(event, self.job.name, run) for event in events if event]

    def settle(self, decide: Callable[[State], Settlement]) -> Settlement:
        """Apply what `decide` returns for a run; it is called again where the state was changed meanwhile.

        On any thread, and without a lock: native threads and greenlets must not share one.
        """
        while True:
            before = self.state
            settlement = decide(before)
            if self.state is before:
                self.state = settlement.state
                return settlement

    def update_state(self, change: Callable[[State], State]) -> State:
        """Change the state, by the same rules; return the new state."""
        while True:
            before = self.state
            after = change(before)
            if self.state is before:
                self.state = after
                return after

    def is_due(self, slot: datetime) -> bool:
        """Return whether a slot is still due: an awaited event may have come since it was planned."""
        return not self.job.is_absence or self.job.trigger.next_after(slot - TICK, self.anchor) == slot

    def mark_accounted(self, slot: datetime) -> None:
        """Record that the outcome of the slots up to this one is known."""
        if self.last is None or slot > self.last:
            self.last = slot

    def rewind(self, now: datetime) -> bool:
        """Discard times after `now`: they come from a wrong clock, and would silence the job until then."""
        if self.anchor <= now and (self.last is None or self.last <= now) and self.state is FRESH:
            return False
        before = (self.anchor, self.last, self.state)
        self.anchor = min(self.anchor, now)
        self.last = self.last and min(self.last, now)
        window = self.job.policy.pause_time
        alerts, errors = _credible(self.state.alerts, now, window), _credible(self.state.errors, now, window)
        incident = clamp_to_now(self.state.incident, now)
        if (alerts, errors, incident) != (self.state.alerts, self.state.errors, self.state.incident):
            self.state = replace(self.state, alerts=alerts, errors=errors, incident=incident)
        return before != (self.anchor, self.last, self.state)

    @property
    def seen(self) -> JobProgress:
        """The job's progress, for a restart."""
        return JobProgress(self.anchor, self.last)

    def seen_at(self, slot: datetime) -> JobProgress:
        """Return the job's progress where no row of the slots after this one is written yet."""
        return JobProgress(self.anchor, slot)


def create_job_states(jobs: Iterable[Job], snapshot: Snapshot, now: datetime) -> dict[str, JobState]:
    """Return the states of jobs by name, from the store's snapshot; the grid of a job never seen before starts now."""
    states, seen, holds, first = snapshot.states, snapshot.seen, snapshot.holds, JobProgress(now)
    return {
        job.name: JobState(job, states.get(job.name, FRESH), seen.get(job.name, first), holds.get(job.name))
        for job in jobs
    }


def replace_jobs(
    job_state: Mapping[str, JobState], jobs: Sequence[Job], snapshot: Snapshot, now: datetime, *, is_late: bool = False
) -> tuple[dict[str, JobState], list[JobState]]:
    """Give new versions of jobs their former states; return all states, those without a job last, and the new ones.

    With `is_late`, the slots of new jobs since their last run are still to be recorded, except for a run cut off.
    """
    met = create_job_states([job for job in jobs if job.name not in job_state], snapshot, now)
    for name, new in met.items():
        if not is_late or name not in snapshot.seen:
            new.mark_accounted(now)
    for started in snapshot.running:
        if is_late and started.binding in met:
            met[started.binding].mark_accounted(started.slot)
    present = {job.name: met.get(job.name) or job_state[job.name] for job in jobs}
    for job in jobs:
        present[job.name].replace_job(job, now)
    gone = {name: each for name, each in job_state.items() if name not in present}
    for each in gone.values():
        each.is_gone = True
    return {**present, **gone}, list(met.values())


def _credible(quota: Quota, now: datetime, window: timedelta) -> Quota:
    if not quota.spent and quota.until is None:
        return quota
    spent = tuple(at for at in quota.spent if at <= now)
    if spent != quota.spent or (quota.until is not None and quota.until > now + window):
        return Quota(spent)
    return quota
