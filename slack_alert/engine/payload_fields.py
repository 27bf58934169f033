"""Fields of what another process wrote: JSON may hold anything, and what is kept of it is met again at every start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypeVar

Fields = Mapping[str, object]
T = TypeVar("T")
_MOST = 2**63


def field(fields: Fields, name: str, kind: type[T]) -> T:
    """Return a field; raise KeyError where there is none, and TypeError where it is of another kind."""
    value = fields[name]
    # True is a number to Python, and to nobody else.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{name} is {value!r:.80}")
    return value


def maybe(fields: Fields, name: str, kind: type[T]) -> T | None:
    """Return a field that may be null."""
    return None if fields[name] is None else field(fields, name, kind)


def whole(fields: Fields, name: str) -> int:
    """Return a whole number that any database keeps."""
    found = field(fields, name, int)
    if not -_MOST <= found < _MOST:
        raise ValueError(f"{name} is {found!r:.80}")
    return found


def number(fields: Fields, name: str) -> float:
    """Return a number, with or without a fraction."""
    return field(fields, name, int) if isinstance(fields[name], int) else field(fields, name, float)


def instant(fields: Fields, name: str) -> datetime:
    """Return an instant; raise ValueError for what is none."""
    return read_instant(field(fields, name, str))


def maybe_instant(fields: Fields, name: str) -> datetime | None:
    """Return an instant that may be null."""
    return None if fields[name] is None else instant(fields, name)


def read_instant(text: str) -> datetime:
    """Read an instant that was written by a program; raise ValueError for what can be compared with no other."""
    return checked(datetime.fromisoformat(text))


def checked(at: datetime) -> datetime:
    """Return an instant back; raise ValueError where it is none."""
    # In the first year and the last one, another zone or a little later may be outside the calendar.
    if at.tzinfo is None or at.year in (MINYEAR, MAXYEAR):
        raise ValueError(f"{at.isoformat()} is no instant")
    return at
