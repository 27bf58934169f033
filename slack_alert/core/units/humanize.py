"""Format instants, durations and counts for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

from slack_alert.core.units.local_time import wall_of
from slack_alert.core.units.quantities import format_duration

#: Instants at this distance are shown with their year.
_FAR = timedelta(days=300)
_MILLISECOND, _HUNDREDTH, _TENTH = timedelta(milliseconds=1), timedelta(milliseconds=10), timedelta(milliseconds=100)
_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_UNITS = (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", _SECOND))

#: When seconds are shown: where they are not 0, or for that only on the day in question.
Seconds = Literal["some", "today", "always", "never"]


def format_time(at: datetime, zone: tzinfo, beside: datetime | None = None, *, seconds: Seconds = "some") -> str:
    """Return the local time of an instant with its day, which is left out if it is the one of `beside`."""
    wall = wall_of(at, zone)
    if beside is not None and abs(at - beside) >= _FAR:
        return f"{wall:%d %b %Y %H:%M}"
    is_today = beside is not None and wall.date() == wall_of(beside, zone).date()
    shown = seconds == "always" or (wall.second and (seconds == "some" or (seconds == "today" and is_today)))
    time_of_day = f"{wall:%H:%M:%S}" if shown else f"{wall:%H:%M}"
    return time_of_day if is_today else f"{wall:%a %d %b} {time_of_day}"


def format_day(at: datetime, zone: tzinfo) -> str:
    """Return the local day of an instant: `Mon 23 Nov`."""
    return f"{wall_of(at, zone):%a %d %b}"


def format_stamp(at: datetime, zone: tzinfo, beside: datetime | None = None, *, has_seconds: bool = True) -> str:
    """Return an instant as local time that can be sorted; the date is left out if it is the one of `beside`."""
    wall = wall_of(at, zone)
    time_of_day = f"{wall:%H:%M:%S}" if has_seconds else f"{wall:%H:%M}"
    is_today = beside is not None and wall.date() == wall_of(beside, zone).date()
    return time_of_day if is_today else f"{wall:%Y-%m-%d} {time_of_day}"


def format_period(since: datetime, until: datetime, zone: tzinfo) -> str:
    """Return the beginning and the end of a period, with their years if these differ."""
    begin, end = wall_of(since, zone), wall_of(until, zone)
    form = "%a %d %b %H:%M" if begin.year == end.year else "%d %b %Y %H:%M"
    return f"{begin:{form}} to {end:{form}}"


def humanize_duration(duration: timedelta) -> str:
    """Return a duration in at most three digits or two units: `80 ms`, `1.24 s`, `12 s`, `3 min 5 s`, `2 h 3 min`."""
    seconds = duration.total_seconds()
    if seconds < 0.9995:
        return f"{_three(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{_three(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def format_distance(span: timedelta) -> str:
    """Return a duration in its largest unit, and in the next unit too below three: `2 h 5 min`."""
    span = abs(span)
    for (unit, size), (smaller, step) in pairwise(_UNITS):
        if span >= size:
            count, rest = divmod(span, size)
            detail = f" {rest // step} {smaller}" if count < 3 and rest >= step and smaller != "s" else ""
            return f"{count} {unit}{detail}"
    return f"{span // _SECOND} s" if span >= _SECOND else "a moment"


def format_ahead(at: datetime, now: datetime) -> str:
    """Return the time until an instant: `in 5 min`, or `now`."""
    return f"in {format_distance(at - now)}" if at > now else "now"


def format_delay(span: timedelta) -> str:
    """Return a delay, rounded according to its length: `1.2s`, `45s`, `1h2m`."""
    step = _TENTH if span < 10 * _SECOND else _SECOND if span < _HOUR else _MINUTE
    return _format_rounded(span, step, least=_TENTH)


def format_run_time(span: timedelta) -> str:
    """Return the duration of a run, to hundredths of a second, or to milliseconds below one."""
    return _format_rounded(span, _HUNDREDTH if span >= _SECOND else _MILLISECOND, least=_MILLISECOND)


def format_length(span: timedelta, *, is_exact: bool = False) -> str:
    """Return a length in seconds; unless `is_exact`, in minutes from an hour on, and in hours from a day on."""
    step = _SECOND if is_exact or span < _HOUR else _MINUTE if span < _DAY else _HOUR
    return _format_rounded(span, step)


def plural(number: int, one: str, many: str = "") -> str:
    """Return the form of a word that agrees with a number: `job` or `jobs`, `was` or `were`."""
    return one if number == 1 else many or f"{one}s"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 job`, `3,000 jobs`."""
    return f"{number:,} {plural(number, noun)}"


def join_names(names: Sequence[str], one: str, many: str) -> str:
    """Return the first names, the number of the rest, and the verb that agrees: `a, b and 3 more are`."""
    named = [*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])]
    listed = " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)
    return f"{listed} {plural(len(names), one, many)}"


#: The number of names in a sentence; the others are counted.
_NAMED = 10


def _three(number: float) -> str:
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    shown = f"{number:.{places}f}"
    return shown.rstrip("0").rstrip(".") if places else shown


def _format_rounded(span: timedelta, step: timedelta, *, least: timedelta = timedelta()) -> str:
    return format_duration(max(least, round(span / step) * step))
