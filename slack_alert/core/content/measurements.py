"""What a value measures: the numbers that are kept of it, so that a report can show how they went."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from numbers import Real

from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.redaction.redaction import REACH, Redaction

#: What numbers are, True and False apart.
NUMBERS = (int, float, Decimal, Real)
#: A value that is a number measures this.
ITSELF = ""
#: Of a longer dict nothing is kept: it is a table, and nobody looks at so many curves.
MOST = 50
#: A name is cut to so many characters.
LONGEST = 80
#: Beyond it not every whole number is one of JSON's.
_EXACT = 2**53


def measured(value: object, redaction: Redaction | None = None) -> Mapping[str, float] | None:
    """Return the number a value is, or the numbers of a dict (dataclass, named tuple) of nothing but numbers.

    True and False are none, and neither is what cannot be drawn: infinity, not-a-number.
    """
    return named(numbers_of(value), redaction or Redaction())


def named(numbers: Mapping[str, float] | None, redaction: Redaction) -> Mapping[str, float] | None:
    """Return the numbers under names without secrets, which are cut only then."""
    if numbers is None or numbers.keys() == {ITSELF}:
        return numbers
    return {redaction.head(name, LONGEST)[0]: number for name, number in numbers.items()}


def numbers_of(value: object) -> Mapping[str, float] | None:
    """Return what `measured` does, under the names as they are."""
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
