"""Format instants and durations for people."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from slack_alert.core.units.local_time import wall_of
from slack_alert.core.units.quantities import format_duration


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


def _three(number: float) -> str:
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    shown = f"{number:.{places}f}"
    return shown.rstrip("0").rstrip(".") if places else shown


#: Instants at this distance are shown with their year.
_FAR = timedelta(days=300)


def format_time(at: datetime, zone: tzinfo, beside: datetime) -> str:
    """Return the local time of an instant, with the day or the date if that differs from the one of `beside`."""
    wall = wall_of(at, zone)
    if abs(at - beside) >= _FAR:
        return f"{wall:%d %b %Y %H:%M}"
    time_of_day = wall.strftime("%H:%M:%S" if wall.second else "%H:%M")
    return time_of_day if wall.date() == wall_of(beside, zone).date() else f"{wall:%a %d %b} {time_of_day}"


def format_with_day(at: datetime, zone: tzinfo) -> str:
    """Return the local time of an instant with its day: `Mon 23 Nov 14:00`."""
    wall = wall_of(at, zone)
    return f"{wall:%a %d %b %H:%M:%S}" if wall.second else f"{wall:%a %d %b %H:%M}"


_TENTH = timedelta(seconds=0.1)


_SECOND = timedelta(seconds=1)


#: Longer delays are shown without tenths.
_EXACT = timedelta(seconds=10)


def format_delay(span: timedelta) -> str:
    """Return a delay, rounded according to its length: `1.2s`, `45s`, `1h2m`."""
    step = _TENTH if span < _EXACT else _SECOND if span < timedelta(hours=1) else timedelta(minutes=1)
    return format_duration(max(_TENTH, round(span / step) * step))


_HUNDREDTH = timedelta(milliseconds=10)


_MILLISECOND = timedelta(milliseconds=1)


def format_run_time(span: timedelta) -> str:
    """Return the duration of a run, to hundredths of a second, or to milliseconds below one."""
    step = _HUNDREDTH if span >= timedelta(seconds=1) else _MILLISECOND
    return format_duration(max(_MILLISECOND, round(span / step) * step))
