"""The simple triggers: intervals of elapsed time, days by the wall clock, once, and never."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import ClassVar

from slack_alert.core.schedule.slots import SlotSpan, count_slots
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import DAY, first_instant, format_wall, wall_of
from slack_alert.core.units.quantities import format_duration


class Never(Struct, frozen=True):
    """Never due, for jobs that only react to events."""

    by_wall_clock: ClassVar[bool] = False

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:  # noqa: ARG002 - as of every trigger
        """Return None."""
        return None

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:  # noqa: ARG002 - as above
        """Return an empty span."""
        return SlotSpan()

    def describe(self) -> str:
        return ""


class Every(Struct, frozen=True):
    """Due each time an interval has elapsed, first at `start` or one interval after the anchor."""

    by_wall_clock: ClassVar[bool] = False
    interval: timedelta
    start: datetime | None = None

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        first = self._first(anchor)
        return first + self._due_by(after, first) * self.interval

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until], counted without visiting them."""
        first = self._first(anchor)
        begin, end = self._due_by(after, first), self._due_by(until, first)
        if end <= begin:
            return SlotSpan()
        return SlotSpan(end - begin, first + begin * self.interval, first + (end - 1) * self.interval)

    def describe(self) -> str:
        # A day here is 24 hours and not the same time tomorrow, so it is written in hours.
        return f"every {format_duration(self.interval, largest='h')}"

    def _first(self, anchor: datetime) -> datetime:
        return self.start or anchor + self.interval

    def _due_by(self, instant: datetime, first: datetime) -> int:
        """Return the number of due times up to an instant, inclusive."""
        return 0 if instant < first else (instant - first) // self.interval + 1


class EveryDays(Struct, frozen=True):
    """Due at the same local time every `days` days.

    The time of day is that of `start`, else of the anchor, and the first due time is `start` itself or `days` after
    the anchor. If `at` is given, it is the time of day, and the first due time is at or after `start` or the anchor.
    """

    by_wall_clock: ClassVar[bool] = True
    days: int
    zone: tzinfo
    at: time | None = None
    start: datetime | None = None

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        first = self._first_wall(anchor)
        index = max(0, (wall_of(after, self.zone) - first) // (self.days * DAY))
        # A few steps at most: the estimate is never after the next slot.
        while (slot := self._slot(first, index)) <= after:
            index += 1
        return slot

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until]."""
        return count_slots(lambda instant: self.next_after(instant, anchor), after=after, until=until)

    def describe(self) -> str:
        at = f" at {self.at.isoformat('auto' if self.at.second else 'minutes')}" if self.at else ""
        return f"every {self.days}d{at}"

    def _first_wall(self, anchor: datetime) -> datetime:
        """Return the wall time of the first slot."""
        wall = wall_of(self.start or anchor, self.zone)
        if self.at is None:
            return wall if self.start else wall + self.days * DAY
        first = datetime.combine(wall, self.at)
        return first if first_instant(first, self.zone) >= (self.start or anchor) else first + DAY

    def _slot(self, first: datetime, index: int) -> datetime:
        if index == 0 and self.start and self.at is None:
            # Its wall time may be a repeated one, in the second pass.
            return self.start
        return first_instant(first + index * self.days * DAY, self.zone)


class Once(Struct, frozen=True):
    """Due at one instant; the zone is that of its description."""

    by_wall_clock: ClassVar[bool] = True
    instant: datetime
    zone: tzinfo

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:  # noqa: ARG002 - asked like the others
        """Return the due time if it is after `after`, else None."""
        return self.instant if after < self.instant else None

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due time if it is in (after, until]."""
        return count_slots(lambda instant: self.next_after(instant, anchor), after=after, until=until)

    def describe(self) -> str:
        return f"at {format_wall(wall_of(self.instant, self.zone))}"
