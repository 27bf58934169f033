"""Working hours: the times of the week in which jobs may run, on the wall clock of a zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import PrivateStruct, derive
from slack_alert.core.units.local_time import next_shift, wall_of
from slack_alert.core.units.names import WEEKDAYS, index_of

_DAY = 24 * 60
_WEEK = 7 * _DAY
_OPEN, _CLOSED = b"\x01", b"\x00"
#: Longer than the distance between two windows: a shift may skip a week's only one.
_HORIZON = timedelta(weeks=4)
_WINDOW = lazy_pattern(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_EXAMPLE = "Write it as 9:30-19:00, or mon-fri 9:30-19:00; sat 10:00-14:00, or always."


class BadHours(BadValue):
    """A text that describes no working hours."""

    def __init__(self, text: str, why: str, *, part: str = "", hint: str = "") -> None:
        super().__init__(f"working hours {text!r}: {why}", hint=hint or _EXAMPLE)
        self.why = why
        #: The part of the text that `why` names; empty if it names none.
        self.part = part
        self.has_own_hint = bool(hint)


class WorkingHours(PrivateStruct, frozen=True):
    """The times in which jobs may run; an invalid text raises BadValue.

    Whether an instant is inside depends on its local wall time alone. Windows are half-open, may cross midnight,
    and belong to the day they begin on. An empty text and `always` are open at all times.
    """

    hidden = frozenset({"_minutes", "is_always"})

    text: str
    zone: tzinfo
    #: One byte for each minute of the week, from Monday 0:00, so that a query is one look-up.
    _minutes: bytes = b""
    #: Whether no minute of the week is closed.
    is_always: bool = True

    def __post_init__(self) -> None:
        derive(self, "_minutes", _minutes_of(self.text))
        derive(self, "is_always", _CLOSED not in self._minutes)

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> WorkingHours:
        """Return the working hours that a text describes."""
        return cls(text, zone)

    def contains(self, now: datetime) -> bool:
        """Return whether an instant is within a window."""
        if self.is_always:
            return True
        wall = now.astimezone(self.zone)
        return self._minutes[wall.weekday() * _DAY + wall.hour * 60 + wall.minute] == 1

    def next_open(self, now: datetime) -> datetime | None:
        """Return the first instant from `now` on that is within a window, or None."""
        return now if self.contains(now) else self.next_change(now)

    def next_change(self, now: datetime) -> datetime | None:
        """Return the next instant at which a window opens or closes, or None."""
        if self.is_always:
            return None
        was_open = self.contains(now)
        instant = now
        while instant < now + _HORIZON:
            edge = instant + self._until_edge(wall_of(instant, self.zone))
            instant = next_shift(instant, edge, zone=self.zone) or edge
            if self.contains(instant) != was_open:
                return instant
        return None

    def _until_edge(self, wall: datetime) -> timedelta:
        """Return the time until the next edge of a window, as if there were no shift."""
        minute = wall.weekday() * _DAY + wall.hour * 60 + wall.minute
        other = _CLOSED if self._minutes[minute] else _OPEN
        edge = (self._minutes * 2).find(other, minute)
        return timedelta(minutes=edge - minute, seconds=-wall.second, microseconds=-wall.microsecond)


def _minutes_of(text: str) -> bytes:
    if text.strip().lower() in {"", "always"}:
        return _OPEN * _WEEK
    minutes = bytearray(_WEEK)
    for segment in text.split(";"):
        days, windows = _split(segment, text)
        for begin, length in windows:
            for day in days:
                _open(minutes, day * _DAY + begin, length)
    return bytes(minutes)


def _open(minutes: bytearray, begin: int, length: int) -> None:
    inside = min(length, _WEEK - begin)
    minutes[begin : begin + inside] = _OPEN * inside
    minutes[: length - inside] = _OPEN * (length - inside)


def _split(segment: str, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the days and the windows of a segment such as `mon-fri 9:00-12:00,13:00-18:00`."""
    digit = re.search(r"\d", segment)
    if digit is None:
        raise BadHours(text, f"{_shown(segment)} has no window", part=segment)
    named, written = segment[: digit.start()].strip(), segment[digit.start() :]
    days = _days(named, text) if named else list(range(7))
    return days, [parse_window(part.strip(), text) for part in written.split(",")]


def _days(named: str, text: str) -> list[int]:
    days: list[int] = []
    for part in named.split(","):
        first, dash, last = part.partition("-")
        begin = _day(first, text)
        end = _day(last, text) if dash else begin
        days += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return days


def _day(word: str, text: str) -> int:
    if not word.strip():
        raise BadHours(text, "the name of a day is missing")
    try:
        return index_of(word, WEEKDAYS, what="day of the week")
    except BadValue as error:
        raise BadHours(text, str(error), hint=error.hint) from error


def parse_window(part: str, text: str) -> tuple[int, int]:
    """Return a window as the minute of the day at which it begins and its length in minutes."""
    match = _WINDOW.fullmatch(part)
    if match is None:
        raise BadHours(text, f"{_shown(part)} is not a window", part=part)
    hour, minute, end_hour, end_minute = map(int, match.groups())
    begin, end = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or begin >= _DAY or end > _DAY:
        hint = "A window begins between 0:00 and 23:59 and ends by 24:00; 22:00-06:00 crosses midnight."
        raise BadHours(text, f"{part!r} holds a time that no clock shows", part=part, hint=hint)
    if begin == end:
        raise BadHours(text, f"{part!r} is empty", part=part, hint="The whole day is 0:00-24:00.")
    return begin, (end - begin) % _DAY or _DAY


def _shown(part: str) -> str:
    return repr(part.strip()) if part.strip() else "an empty part (a comma or semicolon too many)"
