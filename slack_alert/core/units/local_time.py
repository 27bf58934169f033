"""Between instants (aware, UTC) and what the clock on the wall of a zone shows (naive), across its shifts.

A shift is the instant at which a zone's distance from UTC changes: it skips wall times or repeats them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from slack_alert.core.errors import BadValue

DAY = timedelta(days=1)
#: Other years are slips of the keyboard. Hundreds of the longest intervals later, the calendar has not ended yet.
YEARS = range(1900, 5000)
#: The smallest step there is: `t - TICK` is the last instant before t.
TICK = timedelta(microseconds=1)

_SECOND = timedelta(seconds=1)
_WRITTEN = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_HINT = "Write it as 2026-12-24T09:00, with an offset such as +02:00 where another zone is meant."


def wall_of(instant: datetime, zone: tzinfo) -> datetime:
    """Read the clock on the wall of `zone` at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Find the first instant at which the wall clock shows `wall` or, where a shift skips that, more than it."""
    instant = _utc(wall.replace(tzinfo=zone, fold=0))
    if wall_of(instant, zone) == wall:
        return instant
    before_the_gap = _utc(wall.replace(tzinfo=zone, fold=1))
    return next_shift(before_the_gap, instant, zone=zone) or instant


def next_shift(after: datetime, until: datetime, *, zone: tzinfo) -> datetime | None:
    """Find the first shift in (after, until]."""
    offset = _offset(after, zone)
    low = after
    # A tzinfo cannot be asked for its shifts. No zone has had two within a day, so that daily samples show each.
    while low < until:
        high = min(low + DAY, until)
        if _offset(high, zone) != offset:
            return _shift_between(low, high, zone)
        low = high
    return None


def parse_instant(text: object, zone: tzinfo) -> datetime:
    """Read a date with or without a time; one without an offset is on the wall clock of `zone`."""
    match = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise BadValue(f"{text!r} is not a date and time", hint=_HINT)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        wall = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
        wall += int((fraction or "").ljust(6, "0")) * TICK
        return _utc(wall.replace(tzinfo=_zone_written(offset))) if offset else first_instant(wall, zone)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{text!r} is not a date and time: {error}", hint=_HINT) from error


def parse_slot(text: object, zone: tzinfo) -> datetime:
    """Read a date as `parse_instant` does, one that slots can follow upon."""
    instant = parse_instant(text, zone)
    if instant.year not in YEARS:
        raise BadValue(f"{text!r} is out of range", hint=f"The years {YEARS[0]} to {YEARS[-1]} are understood.")
    return instant


def format_wall(wall: datetime) -> str:
    """Write a wall time as `2026-12-24 09:00`, with seconds only where there are some."""
    return wall.isoformat(sep=" ", timespec="auto" if wall.second or wall.microsecond else "minutes")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def _shift_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Narrow down the one shift in (low, high]; shifts happen at whole seconds."""
    offset = _offset(low, zone)
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high


def _zone_written(offset: str) -> timezone:
    if offset in {"Z", "z"}:
        return timezone.utc
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if minutes > 59:
        raise ValueError("the offset's minutes must be in 0..59")
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if offset[0] == "-" else distance)
