"""The trigger for absent events: due some time after the last event, and repeatedly until the next one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from slack_alert.core.schedule.intervals import Every
from slack_alert.core.schedule.slots import SlotSpan
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import TICK
from slack_alert.core.units.quantities import format_duration


class Absence(Struct, frozen=True):
    """Due `absent` after the anchor, and each time `again` has elapsed since.

    The anchor is the time of the last event; before the first one it is the time at which the job was first seen. A due
    time outside of working hours is put off to their opening: if it were skipped, an absence that begins at night would
    never be reported.
    """

    by_wall_clock: ClassVar[bool] = False
    absent: timedelta
    again: timedelta
    hours: WorkingHours

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        every = self._every(anchor)
        # A due time before `after` may be put off to an opening after it.
        before = every.passed(anchor, after, anchor).last
        waiting = None if before is None else self.hours.next_open(before)
        if waiting is not None and waiting > after:
            return waiting
        following = every.next_after(after, anchor)
        return None if following is None else self.hours.next_open(following)

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until], counted window by window."""
        every, count = self._every(anchor), 0
        first = last = None
        while (slot := self.next_after(last or after, anchor)) is not None and slot <= until:
            closing = self.hours.next_change(slot)
            end = until if closing is None else min(until, closing - TICK)
            rest = every.passed(slot, end, anchor)
            count += 1 + rest.count
            first, last = first or slot, rest.last or slot
        return SlotSpan(count, first, last)

    @property
    def length(self) -> str:
        """The time without an event, as text."""
        return format_duration(self.absent, largest="h")

    def describe(self) -> str:
        return f"absent for {self.length}"

    def _every(self, anchor: datetime) -> Every:
        return Every(self.again, anchor + self.absent)
