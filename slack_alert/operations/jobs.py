"""List the jobs with their state, their next runs and their last ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.explain.job_status import JobStatus, Outlook, outlook
from slack_alert.core.model.record import NOT_RUN, Record
from slack_alert.core.policy.quota import State
from slack_alert.core.sensors import SensorPhase
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_ahead, format_time
from slack_alert.engine.app.liveness import sensor_phases
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Reader

#: What a sensor that runs for ever is at where it has no process.
_ENDED: Mapping[SensorPhase | None, JobStatus] = {
    SensorPhase.RESTARTING: JobStatus.RESTARTING,
    SensorPhase.EXITED: JobStatus.EXITED,
    SensorPhase.GIVEN_UP: JobStatus.GIVEN_UP,
}


class JobLine(Struct, frozen=True):
    """A job with all bindings of its function, its outlook, and its last run."""

    bindings: Sequence[Binding]
    job: Job
    outlook: Outlook
    last: Record | None

    @property
    def last_run(self) -> datetime | None:
        """The slot of its last run."""
        return (self.last.until or self.last.slot) if self.last else None


def list_jobs(catalog: Catalog, reader: Reader, snapshot: Snapshot, mutes: Mutes, *, now: datetime) -> list[JobLine]:
    """Return the jobs in the order of the files."""
    lines, phases = [], sensor_phases(snapshot, now)
    for bindings in catalog.functions():
        job = next((binding for binding in bindings if isinstance(binding, Job)), None)
        if job is None:
            continue
        first, last = snapshot.seen.get(job.name) or (None, None)
        state, pause = snapshot.states.get(job.name, State()), snapshot.holds.get(job.name)
        muted = mutes.until(job.name, now)
        ahead = outlook(job, state, pause=pause, first_seen=first, last=last, now=now, muted_until=muted)
        if (ended := _ENDED.get(phases.get(job.name))) and ahead.state is not JobStatus.PAUSED:
            ahead = replace(ahead, state=ended)
        lines.append(JobLine(bindings, job, ahead, _last_run(reader, job.name)))
    return lines


def next_text(job: Job, seen: Outlook, zone: tzinfo, now: datetime) -> str:
    """Return when a job runs next, in words; a rule waits for its events."""
    when = "when it comes" if job.rule else "always" if job.is_endless else "never"
    if seen.next_run:
        when = f"{format_time(seen.next_run, zone, now, seconds='today')} {format_ahead(seen.next_run, now)}"
    if job.is_absence and job.rule:
        when += f" unless {' or '.join(job.rule.on)} comes"
    return when


def state_text(seen: Outlook, zone: tzinfo, now: datetime) -> str:
    """Return the state of a job in words: `paused until 14:32`, `alerting, ann takes care`."""
    state = str(seen.state).replace("_", " ") if seen.state in _ENDED.values() else str(seen.state)
    if seen.paused_until:
        state += f" until {format_time(seen.paused_until, zone, now, seconds='today')}"
    if seen.incident is not None:
        state = "alerting" if state == "active" else state
        state += f", {seen.incident.acknowledged_by} takes care" if seen.incident.acknowledged_by else ""
    return state


def last_text(line: JobLine, zone: tzinfo, now: datetime) -> str:
    """Return when a job ran last, and what became of it."""
    if line.last is None or line.last_run is None:
        return "-"
    return f"{format_time(line.last_run, zone, now, seconds='today')} {line.last.verdict}"


def _last_run(reader: Reader, job: str) -> Record | None:
    """Return the last slot that ran; slots that did not run are few, so it is mostly among the newest."""
    for limit in (1, 10, 1000):
        newest = [line.record for line in reader.history(job=job, since=None, limit=limit)]
        found = next((record for record in reversed(newest) if record.verdict not in NOT_RUN), None)
        if found or len(newest) < limit:
            return found
    return None
