"""The status of a job: whether it is paused or muted, until when, and when it runs next."""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.gate import gate, pause_status
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Pause, State, is_quota_used_up
from slack_alert.core.structs import Struct, Word
from slack_alert.core.units.local_time import TICK

#: Number of consecutive closed windows that are skipped; a job without an open one by then is taken never to run.
_WINDOWS = 400


class JobStatus(Word):
    """Status of a job, in the words that `jobs` shows."""

    ACTIVE = "active"
    PAUSED = "paused"
    MUTED = "muted"
    OFF_HOURS = "off_hours"
    #: Of a sensor that runs for ever and has no process now.
    RESTARTING = "restarting"
    EXITED = "exited"
    GIVEN_UP = "given_up"


class Outlook(Struct, frozen=True):
    """The status of a job and its near future, if nothing happens meanwhile."""

    state: JobStatus
    #: None: never again, in the present state.
    next_run: datetime | None
    #: None: not paused or muted, or paused without an end.
    paused_until: datetime | None
    #: Number of alerts that count now.
    alerts: int
    #: The open incident, if it was posted.
    incident: Incident | None = None


def outlook(
    job: Job,
    state: State,
    *,
    pause: Pause | None,
    first_seen: datetime | None,
    last: datetime | None,
    now: datetime,
    muted_until: datetime | None,
) -> Outlook:
    """Return the status of a job at `now`; a job that was never seen is treated as first seen now.

    `muted_until` is the end of a mute or of a quiet window, or None.
    """
    alerts, until = pause_status(job, state, now, pause=pause)
    is_paused = pause is not None and not pause.is_over(now)
    next_run = _next_run(job, state, pause, after=max(now, last or now), anchor=first_seen or now)
    is_spent = until is not None
    standing_now = _standing(job, now, is_paused=is_paused, is_spent=is_spent, is_muted=muted_until is not None)
    if standing_now is JobStatus.MUTED and muted_until is not None:
        until = max(until or muted_until, muted_until)
    incident = state.incident if state.is_alerting and state.incident and state.incident.told else None
    return Outlook(standing_now, next_run, until, alerts, incident)


def _standing(job: Job, now: datetime, *, is_paused: bool, is_spent: bool, is_muted: bool) -> JobStatus:
    """Return the status; a pause comes first, as people can end it, then the working hours, then muting."""
    if is_paused or (is_spent and not job.policy.mutes):
        return JobStatus.PAUSED
    if not job.policy.hours.contains(now):
        return JobStatus.OFF_HOURS
    return JobStatus.MUTED if is_spent or is_muted else JobStatus.ACTIVE


def _next_run(job: Job, state: State, pause: Pause | None, *, after: datetime, anchor: datetime) -> datetime | None:
    """Return the first slot after `after` that may run, skipping closed windows; None if there is none."""
    for _ in range(_WINDOWS):
        slot = job.trigger.next_after(after, anchor)
        if slot is None:
            return None
        verdict = gate(job, state, slot, pause=pause)
        if verdict is Verdict.GO:
            return slot
        opening = _opening(job, state, pause, slot, verdict)
        if opening is None:
            return None
        after = opening - TICK
    return None


def _opening(job: Job, state: State, pause: Pause | None, slot: datetime, verdict: Verdict) -> datetime | None:
    """Return when the reason ends for which the slot may not run; None: never."""
    if verdict is Verdict.OFF_HOURS:
        return job.policy.hours.next_open(slot)
    if is_quota_used_up(job.policy, state.alerts, slot) and not job.policy.mutes:
        return state.alerts.until
    return pause.until if pause else None
