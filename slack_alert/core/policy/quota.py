"""Quotas, pauses and the state of a job: whether a slot may run, and how alerts are counted."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.incidents import DEFAULT_REPEAT_POLICY, Incident, RepeatPolicy
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, replace


class Policy(Struct, frozen=True):
    """The limits of a job; all are evaluated at the slot's due time, never at the time of the run."""

    hours: WorkingHours
    #: 0: no limit.
    max_alert: int = 3
    pause_time: timedelta = timedelta(minutes=60)
    #: False: the job does not run while its quota is used up; True: it runs and its messages are withheld.
    mutes: bool = False
    repeat_policy: RepeatPolicy = DEFAULT_REPEAT_POLICY


class Quota(Struct, frozen=True):
    """The alerts counted within the window, and the time until which the quota is used up."""

    spent: tuple[datetime, ...] = ()
    until: datetime | None = None

    def is_used_up(self, slot: datetime) -> bool:
        """Return whether the quota is used up at `slot`; a slot exactly at `until` is free again."""
        return self.until is not None and slot < self.until

    def count(self, slot: datetime, window: timedelta) -> int:
        """Return the number of alerts that still count at `slot`."""
        if not self.spent:
            return 0
        if self.until is not None:
            return len(self.spent) if slot < self.until else 0
        return sum(1 for at in self.spent if at > slot - window)


class Pause(Struct, frozen=True):
    """A pause that somebody asked for; `until` None: without an end."""

    until: datetime | None = None
    #: The person or the job that paused it.
    by: str = ""

    def is_over(self, slot: datetime) -> bool:
        """Return whether the job may run again at `slot`."""
        return self.until is not None and slot >= self.until


_UNSPENT = Quota()


class State(Struct, frozen=True):
    """The stored state of a job between two runs."""

    alerts: Quota = _UNSPENT
    errors: Quota = _UNSPENT
    #: The current incident; None: the last run had nothing to say.
    incident: Incident | None = None
    #: Number of alerts that the quota withheld while the job kept running, posted when it may post again, and the slot
    #: of the first of them.
    withheld: int = 0
    withheld_since: datetime | None = None

    @property
    def is_calm(self) -> bool:
        """Whether a quiet run changes nothing."""
        return self.incident is None and not self.withheld

    @property
    def is_alerting(self) -> bool:
        """Whether an incident is open; the recovery of one that is over may still have to be posted."""
        return self.incident is not None and self.incident.goes_on


def admit(policy: Policy, state: State, slot: datetime) -> Verdict:
    """Return the verdict of the working hours and the quota on a slot."""
    if not (policy.hours.is_always or policy.hours.contains(slot)):
        return Verdict.OFF_HOURS
    if not policy.mutes and is_quota_used_up(policy, state.alerts, slot):
        return Verdict.PAUSED
    return Verdict.GO


def is_quota_used_up(policy: Policy, quota: Quota, slot: datetime) -> bool:
    """Return whether a quota is used up; never if the policy has no limit any more."""
    return policy.max_alert > 0 and quota.is_used_up(slot)


def spend(policy: Policy, quota: Quota, slot: datetime) -> Quota:
    """Return the quota with an alert counted; the last one allowed starts the pause."""
    if policy.max_alert == 0:
        return quota
    kept = () if quota.until is not None else tuple(at for at in quota.spent if at > slot - policy.pause_time)
    spent = (*kept, slot)
    return Quota(spent, slot + policy.pause_time if len(spent) >= policy.max_alert else None)


def spend_alert(policy: Policy, state: State, slot: datetime) -> State:
    """Return the state with a posted alert counted."""
    return replace(state, alerts=spend(policy, state.alerts, slot))


def spend_error(policy: Policy, state: State, slot: datetime) -> State:
    """Return the state with a posted error counted."""
    return replace(state, errors=spend(policy, state.errors, slot))


def reset_alert_quota(state: State) -> State:
    """Return the state with an unused quota of alerts, which ends the pause that they started."""
    return replace(state, alerts=Quota())
