"""Whether a slot may run."""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.quota import Pause, State, admit, rests


def gate(job: Job, state: State, slot: datetime, *, hold: Pause | None = None, is_running: bool = False) -> Verdict:
    """Return whether the slot may run; every reason not to is named, the first that holds wins."""
    verdict = admit(job.policy, state, slot)
    if verdict is not Verdict.GO:
        return verdict
    if hold is not None and not hold.is_over(slot):
        return Verdict.PAUSED
    return Verdict.OVERLAPPED if is_running else Verdict.GO


def standing(job: Job, state: State, slot: datetime, *, hold: Pause | None = None) -> tuple[int, datetime | None]:
    """Return the alerts that weigh at `slot`, and until when the job rests (None: it does not, or for good)."""
    alerts = state.alerts.count(slot, job.policy.pause_time)
    until = state.alerts.until if rests(job.policy, state.alerts, slot) else None
    if hold is not None and not hold.is_over(slot):
        # The later of both counts, and a pause for good is later than any.
        until = max(until or hold.until, hold.until) if hold.until else None
    return alerts, until
