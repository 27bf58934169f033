"""Reasons why a slot did not run or posted nothing, as text for the history: the rule and its numbers.

Consecutive slots have the same reason, so that they can be stored as one record.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Run
from slack_alert.core.policy.quota import Pause, Quota, State, is_quota_used_up
from slack_alert.core.units.humanize import format_time, plural
from slack_alert.core.units.local_time import wall_of


def gate_reason(
    job: Job, state: State, slot: datetime, verdict: Verdict, *, pause: Pause | None = None, former: Run | None = None
) -> str | None:
    """Return why the gate did not let a slot run; `former` is the run that overlapped with it."""
    if verdict is Verdict.OFF_HOURS:
        return f"outside {job.policy.hours.text}"
    if verdict is Verdict.OVERLAPPED and former is not None:
        return f"the run of {format_time(former.slot, job.zone, former.slot)} {_describe_former(former)}"
    if verdict is not Verdict.PAUSED:
        return None
    if is_quota_used_up(job.policy, state.alerts, slot):
        return quota_reason(job, state.alerts)
    return pause_reason(pause, job.zone) if pause is not None else None


def quota_reason(job: Job, quota: Quota, *, word: str = "alert") -> str:
    """Return how a quota was used up: `3 of 3 alerts since 13:32, until 14:32`."""
    return _format_used_up(quota, job.policy.max_alert, job.zone, word)


def pause_reason(pause: Pause, zone: tzinfo) -> str:
    """Return who paused a job, and until when: `paused by ann until Mon 23 Nov 14:00`."""
    by = f" by {pause.by}" if pause.by else ""
    return f"paused{by} until {format_time(pause.until, zone) if pause.until else 'resumed'}"


def _describe_former(former: Run) -> str:
    if former.progress.is_stuck:
        return "was given up, and its function had not returned"
    return "was waiting to be written down" if former.progress.has_returned else "was going on"


@lru_cache(maxsize=1024)  # A paused job has the same reason at each of its slots.
def _format_used_up(quota: Quota, limit: int, zone: tzinfo, word: str) -> str:
    assert quota.until is not None, "it rests"
    first = quota.spent[0]
    is_one_day = wall_of(first, zone).date() == wall_of(quota.until, zone).date()
    since, until = (format_time(at, zone, at if is_one_day else None) for at in (first, quota.until))
    return f"{len(quota.spent)} of {limit} {plural(limit, word)} since {since}, until {until}"
