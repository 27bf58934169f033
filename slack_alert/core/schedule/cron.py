"""The cron trigger: five fields on the wall clock of a zone, with rules for times that a shift skips or repeats."""

from __future__ import annotations

import calendar
from datetime import MAXYEAR, date, datetime, time, timedelta, tzinfo
from typing import ClassVar

from slack_alert.core.schedule.cron_parser import CronFields, parse_fields
from slack_alert.core.schedule.slots import SlotSpan
from slack_alert.core.structs import PrivateStruct, derive
from slack_alert.core.units.local_time import DAY, first_instant, next_shift, wall_of

_MINUTE = timedelta(minutes=1)
_EVERY_MINUTE = parse_fields("* * * * *")


class Cron(PrivateStruct, frozen=True):
    """Due at the wall times of a cron line; a line that is invalid or never due raises BadValue.

    With a fixed hour, a skipped time is due at the first valid instant and a repeated one in its first pass only.
    With the hour `*` or `*/n`, elapsed time counts: a skipped time is not due, a repeated one is due in both passes.
    """

    by_wall_clock: ClassVar[bool] = True
    hidden = frozenset({"_fields"})

    text: str
    zone: tzinfo
    _fields: CronFields = _EVERY_MINUTE

    def __post_init__(self) -> None:
        derive(self, "_fields", parse_fields(self.text))

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:  # noqa: ARG002 - asked like the others
        """Return the first due time after `after`, or None."""
        return self._next_elapsed(after) if self._fields.any_hour else self._next_fixed(after)

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until]; those of a day without a shift are counted at once."""
        slot = first = self.next_after(after, anchor)
        if first is None or first > until:
            return SlotSpan()
        count, last = 0, first
        while slot is not None and slot <= until:
            leap, last = self._rest_of_day(slot, until)
            count += leap
            slot = self.next_after(last, anchor)
        return SlotSpan(count, first, last)

    def describe(self) -> str:
        return f"cron {' '.join(self.text.split())}"

    def _next_fixed(self, after: datetime) -> datetime | None:
        wall = self._next_wall(wall_of(after, self.zone))
        # In the second pass of a repeated hour the next wall times were due in the first.
        while wall is not None and (instant := first_instant(wall, self.zone)) <= after:
            wall = self._next_wall(wall)
        return None if wall is None else instant

    def _next_elapsed(self, after: datetime) -> datetime | None:
        while True:
            here = wall_of(after, self.zone)
            wall = self._next_wall(here)
            if wall is None:
                return None
            instant = after + (wall - here)
            shift = next_shift(after, instant, zone=self.zone)
            if shift is None:
                return instant
            if self._names(wall_of(shift, self.zone)):
                return shift
            after = shift

    def _rest_of_day(self, slot: datetime, until: datetime) -> tuple[int, datetime]:
        """Return the number of due times from `slot` to the end of its day, and the last of them.

        If the day has a shift, or `until` is within it, that is only the slot itself.
        """
        wall = wall_of(slot, self.zone)
        minute = wall.hour * 60 + wall.minute
        last = slot + (self._fields.minutes.rfind(1) - minute) * _MINUTE
        if last > until or not self._names(wall) or next_shift(slot, last, zone=self.zone):
            return 1, slot
        return self._fields.minutes.count(1, minute), last

    def _names(self, wall: datetime) -> bool:
        on_the_minute = not (wall.second or wall.microsecond)
        return on_the_minute and self._names_day(wall) and self._fields.minutes[wall.hour * 60 + wall.minute] == 1

    def _names_day(self, day: date) -> bool:
        fields = self._fields
        by_date, by_weekday = day.day in fields.days, day.isoweekday() % 7 in fields.weekdays
        matches = by_date or by_weekday if fields.either_day else by_date and by_weekday
        return matches and day.month in fields.months

    def _next_wall(self, after: datetime) -> datetime | None:
        """Return the first wall time after `after` that matches the fields, or None."""
        minutes = self._fields.minutes
        if self._names_day(after):
            minute = minutes.find(1, after.hour * 60 + after.minute + 1)
            if minute >= 0:
                return _at_minute(after, minute)
        day = self._next_day(after.date())
        return None if day is None else _at_minute(day, minutes.find(1))

    def _next_day(self, after: date) -> date | None:
        day = after
        # Ends soon: fields that never match a day were refused by the parser.
        while day.year < MAXYEAR:
            day = _next_month(day) if day.month not in self._fields.months else day + DAY
            if self._names_day(day):
                return day
        return None


def _at_minute(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(*divmod(minute, 60)))


def _next_month(day: date) -> date:
    days_left = calendar.monthrange(day.year, day.month)[1] - day.day
    return day + (days_left + 1) * DAY
