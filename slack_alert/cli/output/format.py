"""Format times, durations and counts for people and for JSON."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

from slack_alert.core.model.record import Record

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)
#: From this distance on, a date is shown with its year.
_FAR = timedelta(days=300)


def local(at: datetime, zone: tzinfo, now: datetime) -> str:
    """Return an instant as local time, with its date if it is not today."""
    wall, today = at.astimezone(zone), now.astimezone(zone)
    if wall.date() == today.date():
        return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
    return f"{wall:%a %d %b %H:%M}" if abs(at - now) < _FAR else f"{wall:%d %b %Y %H:%M}"


def stamp(at: datetime, zone: tzinfo) -> str:
    """Return an instant in full as local time, so that a column can be sorted."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def distance(span: timedelta) -> str:
    """Return a duration in its largest unit, and in the next unit too below three: `2 h 5 min`."""
    span = abs(span)
    for (unit, size), (smaller, step) in pairwise(_UNITS):
        if span >= size:
            count, rest = divmod(span, size)
            detail = f" {rest // step} {smaller}" if count < 3 and rest >= step and smaller != "s" else ""
            return f"{count} {unit}{detail}"
    return f"{span // timedelta(seconds=1)} s" if span >= timedelta(seconds=1) else "a moment"


def ahead(at: datetime, now: datetime) -> str:
    """Return the time until an instant: `in 5 min`, or `now`."""
    return f"in {distance(at - now)}" if at > now else "now"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 job`, `3 jobs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def record_json(record: Record, zone: tzinfo) -> dict[str, object]:
    """Return the JSON fields that `simulate` and `history` share; instants are in the configured zone."""
    line: dict[str, object] = {
        "at": instant(record.slot, zone),
        "job": record.binding,
        "verdict": record.verdict.value,
        "text": record.text or None,
        "to": record.to,
        "alerts": record.alerts,
        "paused_until": instant(record.paused_until, zone),
    }
    if record.count > 1:
        line |= {"count": record.count, "until": instant(record.until, zone)}
    return line


@lru_cache(maxsize=1024)  # Many jobs share a slot.
def instant(at: datetime | None, zone: tzinfo) -> str | None:
    """Return an instant in ISO format."""
    return at.astimezone(zone).isoformat() if at is not None else None


def seconds(duration: timedelta | None) -> float | None:
    """Return a duration in seconds."""
    return duration.total_seconds() if duration is not None else None
