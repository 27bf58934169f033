"""Convert between instants (aware, UTC) and the wall times of a zone (naive), across its shifts.

A shift is an instant at which the UTC offset of a zone changes: it skips wall times or repeats them.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime, timedelta, timezone, tzinfo

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern

DAY = timedelta(days=1)
#: Other years are typing errors. The last one leaves room for hundreds of the longest intervals in the calendar.
YEARS = range(1900, 5000)
#: The smallest step there is: `t - TICK` is the last instant before t.
TICK = timedelta(microseconds=1)

_SECOND = timedelta(seconds=1)
_WRITTEN = lazy_pattern(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_HINT = "Write it as 2026-12-24T09:00, with an offset such as +02:00 where another zone is meant."


def checked_instant(at: datetime) -> datetime:
    """Return the instant; raise ValueError where it has no zone, or lies at an end of the calendar."""
    # In the first and the last year, the same instant in another zone or a little later may be outside the calendar.
    if at.tzinfo is None or at.year in (MINYEAR, MAXYEAR):
        raise ValueError(f"{at.isoformat()} is no instant")
    return at


def wall_of(instant: datetime, zone: tzinfo) -> datetime:
    """Return the wall time of `zone` at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Return the first instant at which the wall clock shows `wall`, or a later time if a shift skips that."""
    instant = _utc(wall.replace(tzinfo=zone, fold=0))
    if wall_of(instant, zone) == wall:
        return instant
    before_the_gap = _utc(wall.replace(tzinfo=zone, fold=1))
    return next_shift(before_the_gap, instant, zone=zone) or instant


def next_shift(after: datetime, until: datetime, *, zone: tzinfo) -> datetime | None:
    """Return the first shift in (after, until], or None."""
    offset = _offset(after, zone)
    low = after
    # A tzinfo has no list of its shifts. No zone has had two within a day, so daily samples find every one.
    while low < until:
        high = min(low + DAY, until)
        if _offset(high, zone) != offset:
            return _shift_between(low, high, zone)
        low = high
    return None


def parse_instant(text: object, zone: tzinfo) -> datetime:
    """Return the instant of a date with or without a time, in `zone` if it has no offset; raise BadValue for others."""
    match = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise BadValue(f"{text!r} is not a date and time", hint=_HINT)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        parts = (int(part or 0) for part in (year, month, day, hour, minute, second))
        wall = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is applied below
        wall += int((fraction or "").ljust(6, "0")) * TICK
        return _utc(wall.replace(tzinfo=_zone_written(offset))) if offset else first_instant(wall, zone)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{text!r} is not a date and time: {error}", hint=_HINT) from error


def parse_slot(text: object, zone: tzinfo) -> datetime:
    """Return an instant as `parse_instant` does; raise BadValue if its year is out of range for a schedule."""
    instant = parse_instant(text, zone)
    if instant.year not in YEARS:
        raise BadValue(f"{text!r} is out of range", hint=f"The years {YEARS[0]} to {YEARS[-1]} are understood.")
    return instant


def format_wall(wall: datetime) -> str:
    """Return a wall time as `2026-12-24 09:00`, with seconds only if they are not 0."""
    return wall.isoformat(sep=" ", timespec="auto" if wall.second or wall.microsecond else "minutes")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def _shift_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the only shift in (low, high], by bisection; shifts happen at whole seconds."""
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
