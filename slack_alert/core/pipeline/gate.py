"""The gate, which decides whether a slot may run.

A module of its own, because the engine, the simulation, replays and explanations all ask it.
"""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.quota import Pause, State, admit, is_quota_used_up


def gate(job: Job, state: State, slot: datetime, *, pause: Pause | None = None, is_running: bool = False) -> Verdict:
    """Return GO, or the first reason why the slot may not run."""
    verdict = admit(job.policy, state, slot)
    if verdict is not Verdict.GO:
        return verdict
    if pause is not None and not pause.is_over(slot):
        return Verdict.PAUSED
    return Verdict.OVERLAPPED if is_running else Verdict.GO


def pause_status(job: Job, state: State, slot: datetime, *, pause: Pause | None = None) -> tuple[int, datetime | None]:
    """Return the number of alerts that count at `slot`, and when the pause ends (None: no pause, or no end)."""
    alerts = state.alerts.count(slot, job.policy.pause_time)
    until = state.alerts.until if is_quota_used_up(job.policy, state.alerts, slot) else None
    if pause is not None and not pause.is_over(slot):
        # The later end counts, and a pause without an end is later than any.
        until = max(until or pause.until, pause.until) if pause.until else None
    return alerts, until
