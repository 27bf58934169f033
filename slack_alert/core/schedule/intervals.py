"""The simple triggers: every so often in elapsed time, every so many days by the wall clock, and once."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from slack_alert.core.schedule.slots import SlotSpan, count_slots
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import DAY, first_instant, format_wall, wall_of
from slack_alert.core.units.quantities import format_duration


class Never(Struct, frozen=True):
    """Due at no moment: what only answers events."""

    @property
    def by_wall_clock(self) -> bool:
        return False

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:  # noqa: ARG002 - as of every trigger
        """Find nothing."""
        return None

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:  # noqa: ARG002 - as above
        """Count nothing."""
        return SlotSpan()

    def describe(self) -> str:
        return ""


class Every(Struct, frozen=True):
    """Due each time an interval has elapsed, first at `start` or one interval after the anchor."""

    interval: timedelta
    start: datetime | None = None

    @property
    def by_wall_clock(self) -> bool:
        return False

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Find the first due time after `after`."""
        first = self._first(anchor)
        return first + self._due_by(after, first) * self.interval

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Count the due times in (after, until] without going through them."""
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
        """Count the due times up to and with an instant."""
        return 0 if instant < first else (instant - first) // self.interval + 1


class EveryDays(Struct, frozen=True):
    """Due at the same local time every so many days.

    The time of day is that of `start`, else of the anchor, and the first due time is `start` itself or `days` after
    the anchor. Where `at` is given it is the time of day, first met at or after `start` or the anchor.
    """

    days: int
    zone: tzinfo
    at: time | None = None
    start: datetime | None = None

    @property
    def by_wall_clock(self) -> bool:
        return True

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Find the first due time after `after`."""
        first = self._first_wall(anchor)
        index = max(0, (wall_of(after, self.zone) - first) // (self.days * DAY))
        # At most a few steps: the estimate never lies after the slot that is looked for.
        while (slot := self._slot(first, index)) <= after:
            index += 1
        return slot

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Count the due times in (after, until]."""
        return count_slots(lambda instant: self.next_after(instant, anchor), after=after, until=until)

    def describe(self) -> str:
        at = f" at {self.at.isoformat('auto' if self.at.second else 'minutes')}" if self.at else ""
        return f"every {self.days}d{at}"

    def _first_wall(self, anchor: datetime) -> datetime:
        """Find the wall time of the first slot."""
        wall = wall_of(self.start or anchor, self.zone)
        if self.at is None:
            return wall if self.start else wall + self.days * DAY
        first = datetime.combine(wall, self.at)
        return first if first_instant(first, self.zone) >= (self.start or anchor) else first + DAY

    def _slot(self, first: datetime, index: int) -> datetime:
        if index == 0 and self.start and self.at is None:
            # Its wall time may be a repeated one, meant in the second pass.
            return self.start
        return first_instant(first + index * self.days * DAY, self.zone)


class Once(Struct, frozen=True):
    """Due at one instant; the zone is that of its description."""

    instant: datetime
    zone: tzinfo

    @property
    def by_wall_clock(self) -> bool:
        return True

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:  # noqa: ARG002 - asked like the others
        """Find the due time if it lies after `after`."""
        return self.instant if after < self.instant else None

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Count the due time if it lies in (after, until]."""
        return count_slots(lambda instant: self.next_after(instant, anchor), after=after, until=until)

    def describe(self) -> str:
        return f"at {format_wall(wall_of(self.instant, self.zone))}"
