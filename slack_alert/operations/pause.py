"""Pause and resume jobs."""

from __future__ import annotations

from datetime import datetime, tzinfo

from slack_alert.core.bindings import Job
from slack_alert.core.model.request import PauseJob, ResumeJob
from slack_alert.core.policy.quota import is_quota_used_up
from slack_alert.core.sensors import SensorPhase
from slack_alert.core.units.humanize import format_time, join_names
from slack_alert.engine.app.liveness import sensor_phases
from slack_alert.engine.batches import Snapshot
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.requester import JobChange, Requester


def pause(said: str, lookup: JobLookup, requester: Requester, *, until: datetime | None = None) -> JobChange:
    """Let the jobs that match rest until an instant, or until somebody resumes them."""
    names = [job.name for job in lookup.jobs(said)]
    return JobChange(names, names, requester.ask(*[PauseJob(name, until, requester.by) for name in names]))


def resume(said: str, lookup: JobLookup, requester: Requester, *, snapshot: Snapshot) -> JobChange:
    """Let the jobs that match run again, also after too many alerts."""
    jobs = lookup.jobs(said)
    resting = [job.name for job in jobs if _rests(job, snapshot, requester.at)]
    is_taken = requester.ask(*[ResumeJob(job.name) for job in jobs])
    return JobChange([job.name for job in jobs], resting, is_taken)


def paused_text(change: JobChange, resume: str, *, until: datetime | None, zone: tzinfo, now: datetime) -> str:
    """Return what was done; `resume` is what one writes to end it."""
    end = f"`{resume}`" if until is None else format_time(until, zone, now, seconds="today")
    return f"{join_names(change.names, 'is', 'are')} paused until {end}."


def resumed_text(change: JobChange) -> str:
    """Return what was done."""
    if change.changed:
        return f"{join_names(change.changed, 'runs', 'run')} again."
    return f"{join_names(change.names, 'was', 'were')} not paused."


def _rests(job: Job, snapshot: Snapshot, now: datetime) -> bool:
    hold, state = snapshot.holds.get(job.name), snapshot.states.get(job.name)
    is_held = hold is not None and not hold.is_over(now)
    # A sensor that runs for ever and has ended is started again.
    is_held = is_held or sensor_phases(snapshot, now).get(job.name) in (SensorPhase.EXITED, SensorPhase.GIVEN_UP)
    return is_held or (state is not None and is_quota_used_up(job.policy, state.alerts, now) and not job.policy.mutes)
