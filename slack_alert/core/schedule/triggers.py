"""Parse the time keywords of a marker into a trigger.

All instants are aware and in UTC. A trigger has no state: it gives the same answers after a restart, in every process
and in a simulation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import TypeVar

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.schedule.combining import AnyOf, Between, Jittered, Trigger
from slack_alert.core.schedule.cron import Cron
from slack_alert.core.schedule.intervals import Every, EveryDays, Never, Once
from slack_alert.core.units.local_time import TICK, parse_instant, parse_slot
from slack_alert.core.units.quantities import LONGEST, parse_duration

__all__ = ["INTERVAL_KEYWORDS", "SHORTEST", "TIME_KEYWORDS", "Never", "Trigger", "parse_trigger"]

INTERVAL_KEYWORDS = ("weeks", "days", "hours", "minutes", "seconds")
TIME_KEYWORDS = (*INTERVAL_KEYWORDS, "cron", "at")
#: Shorter intervals are typing errors: a chat is of no use for more frequent checks.
SHORTEST = timedelta(seconds=0.1)

_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_LIMITS = "Allowed: 0.1 seconds to ten years in sum."
_TIME_OF_DAY = lazy_pattern(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_T = TypeVar("_T")
_Parse = Callable[[object, tzinfo], datetime]


def parse_trigger(keywords: Mapping[str, object], *, zone: tzinfo, name: str) -> Trigger | None:
    """Return the trigger of a marker's time keywords, or None if it has none. Other keywords are ignored.

    Several kinds together are due whenever one of them is. `name` is the job's, from which jitter is derived.
    Raises BadValue with the keyword, its value and the allowed values.
    """
    if not any(keyword in keywords for keyword in TIME_KEYWORDS):
        return None
    start, end = _bound("start", keywords, zone, parse_slot), _bound("end", keywords, zone, parse_instant)
    parts: tuple[Trigger, ...] = (
        *_intervals(keywords, start=start, zone=zone),
        *_crons(keywords, zone),
        *_moments(keywords, zone),
    )
    trigger = parts[0] if len(parts) == 1 else AnyOf(parts)
    if start or end:
        trigger = _between(trigger, start, end)
    jitter = _naming_keyword("jitter", lambda: parse_duration(keywords.get("jitter", 0)))
    return Jittered(trigger=trigger, jitter=jitter, name=name, end=end) if jitter else trigger


def _naming_keyword(keyword: str, read: Callable[[], _T]) -> _T:
    """Return what `read` returns; put the keyword in front of the message of a BadValue."""
    try:
        return read()
    except BadValue as error:
        raise BadValue(f"{keyword}: {error}", hint=error.hint) from error


def _bound(keyword: str, keywords: Mapping[str, object], zone: tzinfo, parse: _Parse) -> datetime | None:
    return _naming_keyword(keyword, lambda: parse(keywords[keyword], zone)) if keyword in keywords else None


def _between(trigger: Trigger, start: datetime | None, end: datetime | None) -> Trigger:
    if start and end and start >= end:
        raise BadValue("end must be later than start", hint="end is exclusive: nothing is due at it or after it.")
    between = Between(trigger, start, end)
    before = start - TICK if start else _EPOCH
    if between.next_after(before, before) is None:
        hint = "start is the first moment allowed, end the first one not allowed any more."
        raise BadValue(f"nothing is ever due: {trigger.describe()} has no time between start and end", hint=hint)
    return between


def _intervals(keywords: Mapping[str, object], *, start: datetime | None, zone: tzinfo) -> Iterator[Every | EveryDays]:
    amounts = {keyword: _amount(keyword, keywords[keyword]) for keyword in INTERVAL_KEYWORDS if keyword in keywords}
    if not amounts:
        return
    interval = _sum(amounts)
    at = _time_of_day(keywords)
    if amounts.keys() <= {"weeks", "days"} and all(amount == int(amount) for amount in amounts.values()):
        yield EveryDays(interval.days, zone, at=at, start=start)
    elif at is None:
        yield Every(interval, start)
    else:
        raise BadValue(
            f"at={keywords['at']!r} is a time of day, and {_written(keywords)} is not a number of whole days",
            hint='Write days=1, at="09:00", or start="2026-12-24T09:00" for the first of all times.',
        )


def _amount(keyword: str, value: object) -> int | float:
    hint = f"Write {keyword}=5, or {keyword}=0.5."
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"{keyword} must be a number above 0, got {value!r}", hint=hint)
    # In this form the condition refuses NaN as well.
    if not 0 < value < math.inf:
        raise BadValue(f"{keyword} must be a number above 0, got {value!r}", hint=hint)
    # Checked for each amount alone as well: the sum of a huge integer and a float overflows.
    if value > LONGEST.total_seconds():
        raise BadValue(f"{keyword} is longer than ten years", hint=_LIMITS)
    return value


def _sum(amounts: Mapping[str, int | float]) -> timedelta:
    written = _written(amounts)
    if sum(amount * _SECONDS[keyword] for keyword, amount in amounts.items()) > LONGEST.total_seconds():
        raise BadValue(f"{written} is longer than ten years", hint=_LIMITS)
    interval = timedelta(**amounts)
    if interval < SHORTEST:
        raise BadValue(f"{written} is shorter than 0.1 seconds", hint=_LIMITS)
    return interval


def _written(keywords: Mapping[str, object]) -> str:
    return ", ".join(f"{keyword}={keywords[keyword]!r}" for keyword in INTERVAL_KEYWORDS if keyword in keywords)


def _time_of_day(keywords: Mapping[str, object]) -> time | None:
    """Return the `at` of an interval as a time of day."""
    if "at" not in keywords:
        return None
    value = keywords["at"]
    match = _TIME_OF_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match:
            hour, minute, second = (int(number or 0) for number in match.groups())
            return time(hour, minute, second)
    except ValueError:
        pass
    raise BadValue(
        f"at must be a time of day beside {_written(keywords)}, got {value!r}",
        hint='Write at="09:00", from 00:00 to 23:59; the first of all times is start="2026-12-24T09:00".',
    )


def _crons(keywords: Mapping[str, object], zone: tzinfo) -> Iterator[Cron]:
    if "cron" not in keywords:
        return
    value = keywords["cron"]
    lines = value if isinstance(value, list | tuple) else (value,)
    if not lines or not all(isinstance(line, str) for line in lines):
        hint = 'Write cron="0 9 * * mon-fri", or a list of such lines.'
        raise BadValue(f"cron must be five fields in a string, got {value!r}", hint=hint)
    for line in dict.fromkeys(lines):
        yield Cron(line, zone)


def _moments(keywords: Mapping[str, object], zone: tzinfo) -> Iterator[Once]:
    """Yield the trigger of an `at` without an interval."""
    if "at" not in keywords or any(keyword in keywords for keyword in INTERVAL_KEYWORDS):
        return
    value = keywords["at"]
    if isinstance(value, str) and _TIME_OF_DAY.fullmatch(value.strip()):
        hint = f'For every day, write days=1, at="{value.strip()}"; for once, at="2026-12-24T09:00".'
        raise BadValue(f"at={value!r} has no date", hint=hint)
    if isinstance(value, str) and not re.search(r"\d:\d", value):
        raise BadValue(f"at={value!r} has no time of day", hint='Write at="2026-12-24T09:00".')
    yield Once(_naming_keyword("at", lambda: parse_slot(value, zone)), zone)
