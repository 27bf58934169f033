"""Parse and format durations (`90s`, `5m`, `1h30m`, `2d`, or a bare number) and sizes (`512MB`)."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern

#: Ten years: longer durations are typing errors, and dates that far away may be beyond the calendar.
LONGEST = timedelta(days=3653)

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WRITTEN = lazy_pattern("".join(rf"(?:(\d+(?:\.\d+)?)\s*{unit}\s*)?" for unit in _SECONDS))
_HINT = "Write a number, or 90s, 5m, 1h30m, 2d, 1w; ten years at most."


def parse_duration(value: object, *, unit: str = "s") -> timedelta:
    """Return a duration as people write it; a bare number is in `unit`, one of w d h m s.

    Raises BadValue for anything negative, not finite, longer than ten years or not a duration at all.
    """
    if isinstance(value, str):
        return _within_limit(value, _seconds_written(value, unit))
    if isinstance(value, timedelta):
        return _within_limit(value, value.total_seconds())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"{value!r} is not a duration", hint=_HINT)
    return _within_limit(value, value * _SECONDS[unit])


def format_duration(duration: timedelta, *, largest: str = "d") -> str:
    """Return a duration in the shortest form that `parse_duration` accepts, in units no larger than `largest`."""
    rest = duration // timedelta(seconds=1)
    units = list(_SECONDS)
    parts = []
    for unit in units[units.index(largest) : -1]:
        amount, rest = divmod(rest, _SECONDS[unit])
        parts.append(f"{amount}{unit}" if amount else "")
    seconds = f"{rest}.{duration.microseconds:06d}".rstrip("0").rstrip(".")
    if seconds != "0" or not any(parts):
        parts.append(f"{seconds}s")
    return "".join(parts)


def _seconds_written(text: str, unit: str) -> float:
    written = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", written):
        written += unit
    match = _WRITTEN.fullmatch(written)
    if match is None or not any(match.groups()):
        raise BadValue(f"{text!r} is not a duration", hint=_HINT)
    amounts = zip(match.groups(), _SECONDS.values(), strict=True)
    return math.fsum(float(amount) * seconds for amount, seconds in amounts if amount)


def _within_limit(value: object, seconds: float) -> timedelta:
    # In this form the condition refuses NaN as well.
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise BadValue(f"{value!r} is not a duration between 0 and ten years", hint=_HINT)
    return timedelta(seconds=seconds)


_UNITS = {"GB": 1024**3, "MB": 1024**2, "KB": 1024, "B": 1}
_WRITTEN_TOO = lazy_pattern(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return a size in bytes; raise BadValue for an invalid text."""
    match = _WRITTEN_TOO.fullmatch(text.strip())
    if match is None:
        raise BadValue(f"{text!r} is not a size", hint="Write 512MB or 2GB.")
    return int(float(match[1]) * _UNITS[f"{match[2].upper()}B"])


def format_size(size: int) -> str:
    """Return a size in the largest unit that is exact."""
    unit = next(unit for unit, factor in _UNITS.items() if size % factor == 0 and (size >= factor or factor == 1))
    return f"{size // _UNITS[unit]}{unit}"
