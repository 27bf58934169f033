"""Checked access to JSON fields that another process wrote: a bad value would be read again at every start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypeVar

Fields = Mapping[str, object]
T = TypeVar("T")
_MOST = 2**63


def field(fields: Fields, name: str, kind: type[T]) -> T:
    """Return a field; raise KeyError where there is none, and TypeError where it has another type."""
    value = fields[name]
    # Python counts True as a number.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{name} is {value!r:.80}")
    return value


def optional_field(fields: Fields, name: str, kind: type[T]) -> T | None:
    """Return a field, or None where it is null."""
    return None if fields[name] is None else field(fields, name, kind)


def integer(fields: Fields, name: str) -> int:
    """Return an integer that fits into 64 bits, as databases need; raise ValueError for a larger one."""
    found = field(fields, name, int)
    if not -_MOST <= found < _MOST:
        raise ValueError(f"{name} is {found!r:.80}")
    return found


def number(fields: Fields, name: str) -> float:
    """Return an integer or a float."""
    return field(fields, name, int) if isinstance(fields[name], int) else field(fields, name, float)


def instant(fields: Fields, name: str) -> datetime:
    """Return a field as an instant; raise ValueError where it is not valid."""
    return parse_instant(field(fields, name, str))


def optional_instant(fields: Fields, name: str) -> datetime | None:
    """Return a field as an instant, or None where it is null."""
    return None if fields[name] is None else instant(fields, name)


def parse_instant(text: str) -> datetime:
    """Parse an ISO instant; raise ValueError where it cannot be compared with others."""
    return checked_instant(datetime.fromisoformat(text))


def checked_instant(at: datetime) -> datetime:
    """Return the instant; raise ValueError where it has no zone, or lies at an end of the calendar."""
    # In the first and the last year, the same instant in another zone or a little later may be outside the calendar.
    if at.tzinfo is None or at.year in (MINYEAR, MAXYEAR):
        raise ValueError(f"{at.isoformat()} is no instant")
    return at
