"""Warn of jobs whose trigger never meets their working hours, as far as these alone decide that."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_alert.core.schedule.combining import AnyOf, Between, Jittered, Trigger
from slack_alert.core.schedule.cron import Cron
from slack_alert.core.schedule.intervals import EveryDays, Once
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.local_time import TICK

#: Longer than a year, so that every clock change is included.
_HORIZON = timedelta(days=400)


class NeverRunsCheck(Struct):
    """Searches for a slot after `now`; equal questions are answered once, and the number of steps is limited."""

    now: datetime
    _steps: int = 20_000
    _known: dict[tuple[Trigger, WorkingHours], str | None] = field(default_factory=dict)

    def never(self, trigger: Trigger, hours: WorkingHours) -> str | None:
        """Return why a job never runs; None if it does, or if that is not known."""
        if _is_over(trigger, self.now):
            return "it never runs: its last time has passed"
        fixed = None if hours.is_always else _fixed(trigger)
        if fixed is None:
            return None
        if (fixed, hours) not in self._known:
            self._known[fixed, hours] = self._always_closed(fixed, hours)
        return self._known[fixed, hours]

    def _always_closed(self, trigger: Trigger, hours: WorkingHours) -> str | None:
        slot = trigger.next_after(self.now, self.now)
        if slot is None or slot > self.now + _HORIZON:
            return None
        while slot is not None and slot <= self.now + _HORIZON:
            self._steps -= 1
            opening = hours.next_open(slot)
            if opening is None or opening == slot or self._steps < 0:
                return None
            slot = trigger.next_after(opening - TICK, self.now)
        days = _HORIZON.days
        return f"it never runs: each of its times in the next {days} days is outside the working hours {hours.text}"


def _is_over(trigger: Trigger, now: datetime) -> bool:
    if isinstance(trigger, Once):
        return trigger.next_after(now, now) is None
    if isinstance(trigger, AnyOf):
        return all(_is_over(part, now) for part in trigger.parts)
    if isinstance(trigger, Between):
        return (trigger.end is not None and trigger.end <= now) or _is_over(trigger.trigger, now)
    return isinstance(trigger, Jittered) and _is_over(trigger.trigger, now)


def _fixed(trigger: Trigger) -> Trigger | None:
    """Return a trigger due at least as often, whenever the job was first seen; None if there is none."""
    if isinstance(trigger, Cron | Once):
        return trigger
    if isinstance(trigger, EveryDays):
        # Its days depend on when it was first seen.
        anchored = EveryDays(1, trigger.zone, at=trigger.at) if trigger.at is not None else None
        return trigger if trigger.start else anchored
    if isinstance(trigger, AnyOf):
        parts = [_fixed(part) for part in trigger.parts]
        return AnyOf(tuple(part for part in parts if part)) if all(parts) else None
    if isinstance(trigger, Between):
        inner = _fixed(trigger.trigger)
        return Between(inner, trigger.start, trigger.end) if inner else None
    return None
