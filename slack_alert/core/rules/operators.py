"""Operators by name, with the meaning that StackStorm documents.

https://docs.stackstorm.com/rules.html#criteria-comparison
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Any

from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import parse_instant
from slack_alert.core.units.names import composed, nearest

#: The operator that looks at the items of a list, and the word beside it that says how many of them must hold.
SEARCH, CONDITION = "search", "condition"
#: How many items must hold for how many criteria.
CONDITIONS = ("any", "all", "any2any", "all2any")
# Any, because values of any type are compared: where they cannot be, that raises.
_Compare = Callable[[Any, Any], bool]
_SHORT = {
    "eq": "equals",
    "neq": "nequals",
    "ieq": "iequals",
    "lt": "lessthan",
    "gt": "greaterthan",
    "td_lt": "timediff_lt",
    "td_gt": "timediff_gt",
    "in": "inside",
    "nin": "ninside",
}


class Comparison(Struct, frozen=True):
    """Whether a value holds for an operator; `fault` says why the two cannot be compared, which never holds."""

    holds: bool
    fault: str = ""


def operator_name(word: str) -> str:
    """Return the full name of an operator; raise BadValue with the nearest one for what is none."""
    name = _SHORT.get(word, word)
    if name in OPERATORS:
        return name
    near = nearest(word, (*OPERATORS, *_SHORT))
    hint = f"Did you mean {near}?" if near else f"Allowed: {', '.join(OPERATORS)}."
    raise BadValue(f"there is no operator {word!r}", hint=hint)


def compare(operator: str, value: object, pattern: object, now: datetime) -> Comparison:
    """Compare the value of a field with a pattern, by the full name of any operator but `search`.

    None is the value of a field that is not there. Times are judged at `now`.
    """
    if operator in _TIMES:
        return _compared(operator, lambda: _TIMES[operator](value, pattern, now))
    if operator == "exists":
        return Comparison(value is not None)
    if operator == "nexists":
        return Comparison(value is None)
    if pattern is None and operator != "nequals":
        return Comparison(False)
    same = _COMPARISONS[operator]
    return _compared(operator, lambda: same(_composed(value), _composed(pattern)), value, pattern)


def check_pattern(operator: str, pattern: object) -> None:
    """Raise BadValue for a pattern with which an operator never holds, or does not what it seems to."""
    if operator in ("exists", "nexists"):
        if pattern is False:
            other = "nexists" if operator == "exists" else "exists"
            raise BadValue(
                f"{operator} looks at no value, False does not reverse it", hint=f'Write {{"{other}": True}}.'
            )
        return
    if pattern is None and operator != "nequals":
        raise BadValue(f"{operator} holds for no value where it is compared with None", hint='Write {"nexists": True}.')
    if operator in ("regex", "iregex", "matchregex"):
        try:
            re.compile(pattern if isinstance(pattern, str) else "")
        except re.error as error:
            raise BadValue(
                f"{pattern!r} is no regular expression ({error})", hint="Put a \\ before its signs."
            ) from None
    if operator in _TEXTS and not isinstance(pattern, str):
        raise BadValue(f"{operator} compares with a text, got {pattern!r}", hint="Write it in quotes.")
    if operator in _TIMES and _seconds(pattern) is None:
        raise BadValue(f"{operator} compares with seconds, got {pattern!r}", hint=f'Write {{"{operator}": 60}}.')


def _compared(operator: str, holds: Callable[[], bool], value: object = None, pattern: object = None) -> Comparison:
    try:
        return Comparison(bool(holds()))
    except BadValue as error:
        return Comparison(False, str(error))
    except re.error as error:
        return Comparison(False, f"{pattern!r} is no regular expression ({error})")
    # A payload may hold anything, and so may a pattern.
    except (TypeError, AttributeError, ValueError, OverflowError, RecursionError):
        what = "a field that is not there" if value is None else _kind(value)
        return Comparison(False, f"{operator} cannot compare {what} with {_kind(pattern)}")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _composed(value: object) -> object:
    return composed(value) if isinstance(value, str) else value


def _age(value: object, now: datetime) -> float:
    """Return how many seconds ago a time was; one without an offset is in UTC."""
    if isinstance(value, datetime):
        return (now - (value if value.tzinfo else value.replace(tzinfo=timezone.utc))).total_seconds()
    return (now - parse_instant(value, timezone.utc)).total_seconds()


def _seconds(pattern: object) -> float | None:
    try:
        return float(pattern) if isinstance(pattern, int | float | str) and not isinstance(pattern, bool) else None
    except (ValueError, OverflowError):
        return None


def _is_younger(value: object, pattern: object, now: datetime) -> bool:
    seconds = _seconds(pattern)
    return seconds is not None and _age(value, now) < seconds


def _is_older(value: object, pattern: object, now: datetime) -> bool:
    seconds = _seconds(pattern)
    return seconds is not None and _age(value, now) > seconds


_TIMES: Mapping[str, Callable[[object, object, datetime], bool]] = {
    "timediff_lt": _is_younger,
    "timediff_gt": _is_older,
}
_COMPARISONS: Mapping[str, _Compare] = {
    "equals": lambda value, pattern: value == pattern,
    "nequals": lambda value, pattern: value != pattern,
    "iequals": lambda value, pattern: value.lower() == pattern.lower(),
    "lessthan": lambda value, pattern: value < pattern,
    "greaterthan": lambda value, pattern: value > pattern,
    "contains": lambda value, pattern: pattern in value,
    "icontains": lambda value, pattern: pattern.lower() in value.lower(),
    "ncontains": lambda value, pattern: pattern not in value,
    "incontains": lambda value, pattern: pattern.lower() not in value.lower(),
    "startswith": lambda value, pattern: value.startswith(pattern),
    "istartswith": lambda value, pattern: value.lower().startswith(pattern.lower()),
    "endswith": lambda value, pattern: value.endswith(pattern),
    "iendswith": lambda value, pattern: value.lower().endswith(pattern.lower()),
    "inside": lambda value, pattern: value in pattern,
    "ninside": lambda value, pattern: value not in pattern,
    "matchwildcard": fnmatchcase,
    "regex": lambda value, pattern: re.search(pattern, value) is not None,
    "iregex": lambda value, pattern: re.search(pattern, value, re.IGNORECASE) is not None,
    "matchregex": lambda value, pattern: re.match(pattern, value, re.DOTALL) is not None,
}
_TEXTS = frozenset([
    "iequals", "icontains", "incontains", "startswith", "istartswith", "endswith", "iendswith",
    "matchwildcard", "regex", "iregex", "matchregex",
])  # fmt: skip
_KINDS: Mapping[type, str] = {
    str: "a text", bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a record",
    type(None): "nothing",
}  # fmt: skip
#: All of them, by their full names.
OPERATORS = (*_COMPARISONS, *_TIMES, "exists", "nexists", SEARCH)
