"""Working hours, quota and pause: whether a slot may run, and what an alert costs."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.incidents import PLAIN, Incident, RepeatPolicy
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, replace


class Policy(Struct, frozen=True):
    """What binds a job; all of it is evaluated at the slot's due time, never at the time of the run."""

    hours: WorkingHours
    #: 0: no limit.
    max_alert: int = 3
    pause_time: timedelta = timedelta(minutes=60)
    #: False: the job does not run while paused; True: it runs and what it says is withheld.
    mutes: bool = False
    voice: RepeatPolicy = PLAIN


class Quota(Struct, frozen=True):
    """What was spent within the window, and until when nothing more may be."""

    spent: tuple[datetime, ...] = ()
    until: datetime | None = None

    def is_over(self, slot: datetime) -> bool:
        """Return whether the quota is used up; a slot exactly at its end is free again."""
        return self.until is not None and slot < self.until

    def count(self, slot: datetime, window: timedelta) -> int:
        """Count what still weighs at `slot`."""
        if not self.spent:
            return 0
        if self.until is not None:
            return len(self.spent) if slot < self.until else 0
        return sum(1 for at in self.spent if at > slot - window)


class Pause(Struct, frozen=True):
    """A pause somebody asked for; `until` None: for good."""

    until: datetime | None = None
    #: A person, or the job that did it.
    by: str = ""

    def is_over(self, slot: datetime) -> bool:
        """Return whether the job may run again at `slot`."""
        return self.until is not None and slot >= self.until


_UNSPENT = Quota()


class State(Struct, frozen=True):
    """All that is remembered of a job between two runs."""

    alerts: Quota = _UNSPENT
    errors: Quota = _UNSPENT
    #: The row of alerts that goes on; None: the last run had nothing to say.
    incident: Incident | None = None
    #: Alerts that the quota withheld while the job kept running, since the first of them; told when it may speak again.
    withheld: int = 0
    withheld_since: datetime | None = None

    @property
    def is_calm(self) -> bool:
        """Whether a run without a word changes nothing."""
        return self.incident is None and not self.withheld

    @property
    def is_alerting(self) -> bool:
        """Whether an incident goes on; one that is over may still wait to be told so."""
        return self.incident is not None and self.incident.goes_on


def admit(policy: Policy, state: State, slot: datetime) -> Verdict:
    """Return whether hours and pause let the slot run."""
    if not policy.hours.contains(slot):
        return Verdict.OFF_HOURS
    if not policy.mutes and rests(policy, state.alerts, slot):
        return Verdict.PAUSED
    return Verdict.GO


def rests(policy: Policy, quota: Quota, slot: datetime) -> bool:
    """Return whether the quota is used up; where there is no limit any more, a former one binds nobody."""
    return policy.max_alert > 0 and quota.is_over(slot)


def spend(policy: Policy, quota: Quota, slot: datetime) -> Quota:
    """Count one alert; the last one allowed starts the pause."""
    if policy.max_alert == 0:
        return quota
    kept = () if quota.until is not None else tuple(at for at in quota.spent if at > slot - policy.pause_time)
    spent = (*kept, slot)
    return Quota(spent, slot + policy.pause_time if len(spent) >= policy.max_alert else None)


def spend_alert(policy: Policy, state: State, slot: datetime) -> State:
    """Count one value that was said."""
    return replace(state, alerts=spend(policy, state.alerts, slot))


def spend_error(policy: Policy, state: State, slot: datetime) -> State:
    """Count one error card that was said."""
    return replace(state, errors=spend(policy, state.errors, slot))


def rested(state: State) -> State:
    """End the pause the alerts began; counting begins anew."""
    return replace(state, alerts=Quota())
