"""Measurements: the numbers in a value, stored so that reports can show them over time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from numbers import Real

from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.redaction.redaction import REACH, Redaction

#: The types of numbers; True and False are excluded separately.
NUMBERS = (int, float, Decimal, Real)
#: The name of the measurement of a value that is a number.
ITSELF = ""
#: A longer dict is taken for a table and not stored: it would give too many curves.
MOST = 50
#: Maximum length of a name, in characters.
LONGEST = 80
#: Larger integers are not all exact in JSON.
_EXACT = 2**53


def measured(value: object, redaction: Redaction | None = None) -> Mapping[str, float] | None:
    """Return the measurement of a number, or those of a dict (dataclass, named tuple) that holds only numbers.

    True and False are not numbers, and values that cannot be drawn are left out: infinity, NaN.
    """
    return named(numbers_of(value), redaction or Redaction())


def named(numbers: Mapping[str, float] | None, redaction: Redaction) -> Mapping[str, float] | None:
    """Return the numbers with their names redacted and then cut."""
    if numbers is None or numbers.keys() == {ITSELF}:
        return numbers
    return {redaction.head(name, LONGEST)[0]: number for name, number in numbers.items()}


def numbers_of(value: object) -> Mapping[str, float] | None:
    """Return the measurements as `measured` does, with unredacted names."""
    if value is None or isinstance(value, (str, bool)):
        return None
    if isinstance(value, NUMBERS):
        number = _finite(value)
        return None if number is None else {ITSELF: number}
    row = as_row(value)
    if not row or len(row) > MOST or not all(map(_is_number, row.values())):
        return None
    finite = ((str(name)[: LONGEST + REACH], _finite(each)) for name, each in row.items())
    found = {name: number for name, number in finite if number is not None}
    return found or None


def _is_number(value: object) -> bool:
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def _finite(value: float | Decimal | Real) -> float | None:
    if isinstance(value, int) and abs(value) <= _EXACT:
        return int(value)
    try:
        number = float(value)
    except (OverflowError, ValueError):  # too long an integer; a signalling NaN
        return None
    return number if isfinite(number) else None
