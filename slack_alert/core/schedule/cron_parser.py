"""Parse the five fields of a cron line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import MONTHS, WEEKDAYS, index_of, nearest

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LONGEST_STEP = 9999
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class CronFields(Struct, frozen=True):
    """The values that a cron line allows."""

    #: One byte for each minute of the day.
    minutes: bytes
    days: frozenset[int]
    months: frozenset[int]
    #: Sunday is 0.
    weekdays: frozenset[int]
    #: Both day fields are restricted, so either may match; as in Vixie's cron, a field that begins with `*` is not.
    either_day: bool
    #: The hour is `*` or `*/n`.
    any_hour: bool


def parse_fields(text: str) -> CronFields:
    """Return the fields of a cron line; raise BadValue if it is invalid or never due."""
    parts = _expanded(text).lower().split()
    if len(parts) != len(_FIELDS):
        hint = "Write minute, hour, day of the month, month and day of the week, as in 0 9 * * mon-fri."
        raise BadValue(f"cron {text!r} has {len(parts)} fields instead of five", hint=hint)
    minutes, hours, days, months, weekdays = (
        _values(part, cron_field, text) for part, cron_field in zip(parts, _FIELDS, strict=True)
    )
    fields = CronFields(
        minutes=_minutes_of_day(hours, minutes),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
        any_hour=parts[1].startswith("*"),
    )
    _refuse_never(fields, text)
    return fields


class _Field(Struct, frozen=True):
    what: str
    low: int
    high: int
    names: Sequence[str] = ()
    #: The number of the first name, `jan` or `sun`.
    first: int = 0
    #: Whether a `*/n` that only selects the first day is allowed in a list: `*/100,1-7` begins with `*`, so the field
    #: does not count as restricted, and the other day field must match, too.
    is_day: bool = False


_SUNDAY_FIRST = (WEEKDAYS[-1], *WEEKDAYS[:-1])
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31, is_day=True),
    _Field("month", 1, 12, MONTHS, 1),
    _Field("day of the week", 0, 7, _SUNDAY_FIRST, is_day=True),
)


def _expanded(text: str) -> str:
    alias = text.strip().lower()
    if not alias.startswith("@"):
        return text
    if alias not in _ALIASES:
        meant = nearest(alias, _ALIASES)
        hint = f"Did you mean {meant}? " if meant else ""
        raise BadValue(f"cron {text!r} is not known", hint=f"{hint}Allowed: {', '.join(_ALIASES)}, or five fields.")
    return _ALIASES[alias]


def _values(part: str, cron_field: _Field, text: str) -> frozenset[int]:
    items = part.split(",")
    longest = _LONGEST_STEP if cron_field.is_day and len(items) > 1 else cron_field.high - cron_field.low
    try:
        return frozenset(value for item in items for value in _item(item, cron_field, longest))
    except BadValue as error:
        raise BadValue(f"cron {text!r}: {error}", hint=error.hint) from error


def _item(item: str, cron_field: _Field, longest: int) -> range:
    """Return the values of `*`, `5`, `1-5`, `*/15` or `0-30/10`."""
    span, slash, step = item.partition("/")
    begin, dash, end = span.partition("-")
    if span == "*":
        low, high = cron_field.low, cron_field.high
    else:
        low = _number(begin, cron_field)
        high = _number(end, cron_field) if dash else low
    if slash and span != "*" and not dash:
        raise BadValue(f"{item!r} has a step but no range", hint=f"Write {span}-{cron_field.high}/{step} or */{step}.")
    return range(low, _end(low, high, cron_field) + 1, _step(step, cron_field, longest) if slash else 1)


def _end(low: int, high: int, cron_field: _Field) -> int:
    if low <= high:
        return high
    if cron_field.names is _SUNDAY_FIRST:
        return high + 7
    pieces = f"{low}-{cron_field.high},{cron_field.low}-{high}"
    raise BadValue(f"the {cron_field.what} range {low}-{high} runs backwards", hint=f"Write {pieces}.")


def _step(step: str, cron_field: _Field, longest: int) -> int:
    if not re.fullmatch(r"\d{1,4}", step) or not 1 <= int(step) <= longest:
        most = cron_field.high - cron_field.low
        hint = "Longer intervals: minutes=90, hours=36, days=10."
        raise BadValue(f"the {cron_field.what} step {step!r} is not a number from 1 to {most}", hint=hint)
    return int(step)


def _number(word: str, cron_field: _Field) -> int:
    if cron_field.names and word.isalpha():
        return cron_field.first + index_of(word, cron_field.names, what=cron_field.what)
    low, high = cron_field.low, cron_field.high
    if not re.fullmatch(r"\d{1,4}", word) or not low <= int(word) <= high:
        hint = f"Allowed: {low} to {high}, *, a-b, */n, a-b/n and lists of these."
        shown = repr(word) if word else "(nothing)"
        raise BadValue(f"{cron_field.what} {shown} is not a number from {low} to {high}", hint=hint)
    return int(word)


def _minutes_of_day(hours: frozenset[int], minutes: frozenset[int]) -> bytes:
    flags = bytearray(24 * 60)
    for hour, minute in product(hours, minutes):
        flags[hour * 60 + minute] = 1
    return bytes(flags)


def _refuse_never(fields: CronFields, text: str) -> None:
    longest = max(_LONGEST_MONTHS[month - 1] for month in fields.months)
    if not fields.either_day and min(fields.days) > longest:
        raise BadValue(f"cron {text!r} never comes", hint=f"Its months have at most {longest} days.")
