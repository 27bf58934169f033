"""What the engine holds of one job while the program runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.events import Event
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.incidents import clamp_to_now
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.structs import replace
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import JobProgress, Snapshot

#: Shared by the jobs of which nothing is remembered, which is most.
FRESH = State()
#: Shared by the jobs that answer no events.
_NONE: deque[Event] = deque(maxlen=0)


class JobState:
    """A job with all that changes of it."""

    __slots__ = ("anchor", "events", "hold", "is_gone", "is_told", "job", "last", "overlaps", "run", "state", "waits")

    def __init__(self, job: Job, state: State, seen: JobProgress, hold: Pause | None) -> None:
        self.job = job
        self.state = state
        self.hold = hold
        self.anchor = seen.first
        #: The last slot that was accounted for.
        self.last = seen.last
        #: The run that is queued, going on or being written down.
        self.run: Run | None = None
        #: Events that wait for the job to be free.
        self.events: deque[Event] = deque() if job.rule else _NONE
        #: Slots in a row that found the run going on, and whether that was told already.
        self.overlaps = 0
        #: Slots in a row that found it waiting for a thread.
        self.waits = 0
        self.is_told = False
        #: Its file, or its place in it, is gone; a run that goes on ends as any other.
        self.is_gone = False

    def replace_job(self, job: Job, now: datetime) -> None:
        """Go on as a later version of the job, with all that is remembered; one that was gone begins with `now`."""
        if self.is_gone:
            self.mark_accounted(now)
        if job.is_absence and (self.is_gone or job.rule != self.job.rule):
            # Nobody looked whether what it waits for came before.
            self.anchor, self.state = now, replace(self.state, incident=None)
        if job.rule is None:
            self.events = _NONE
        elif self.events is _NONE:
            self.events = deque()
        self.job = job
        self.is_gone = False

    @property
    def moved(self) -> Callable[[], datetime] | None:
        """What tells where the grid starts by now, where it moves on with the events that come."""
        return (lambda: self.anchor) if self.job.is_absence else None

    def settle(self, decide: Callable[[State], Settlement]) -> Settlement:
        """Take over what a run means; decided again where somebody changed the state meanwhile.

        On any thread, and without a lock: native threads and greenlets must not share one.
        """
        while True:
            before = self.state
            settlement = decide(before)
            if self.state is before:
                self.state = settlement.state
                return settlement

    def restate(self, change: Callable[[State], State]) -> State:
        """Remember something else, by the same rules."""
        while True:
            before = self.state
            after = change(before)
            if self.state is before:
                self.state = after
                return after

    def is_due(self, slot: datetime) -> bool:
        """Return whether a slot is one still: what it waits for may have come since it was planned."""
        return not self.job.is_absence or self.job.trigger.next_after(slot - TICK, self.anchor) == slot

    def mark_accounted(self, slot: datetime) -> None:
        """Take note that the slots up to this one are accounted for."""
        if self.last is None or slot > self.last:
            self.last = slot

    def rewind(self, now: datetime) -> bool:
        """Forget what lies after `now`: it was noted by a wrong clock, and would silence the job until then."""
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
        """What a restart needs to know."""
        return JobProgress(self.anchor, self.last)

    def seen_at(self, slot: datetime) -> JobProgress:
        """Return what a restart needs to know where of the slots after this one no row is written yet."""
        return JobProgress(self.anchor, slot)


def take_up(jobs: Iterable[Job], snapshot: Snapshot, now: datetime) -> dict[str, JobState]:
    """Join the jobs with what the store remembers of them; those never seen before start their grid now."""
    states, seen, holds, first = snapshot.states, snapshot.seen, snapshot.holds, JobProgress(now)
    return {
        job.name: JobState(job, states.get(job.name, FRESH), seen.get(job.name, first), holds.get(job.name))
        for job in jobs
    }


def renewed(
    job_state: Mapping[str, JobState], jobs: Sequence[Job], snapshot: Snapshot, now: datetime, *, is_late: bool = False
) -> tuple[dict[str, JobState], list[JobState]]:
    """Let jobs take up what is held of their former versions; return all, those without a job last, and the new ones.

    Of those that are late, the slots since they ran last are still to be accounted for, but for one that was cut off.
    """
    met = take_up([job for job in jobs if job.name not in job_state], snapshot, now)
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
