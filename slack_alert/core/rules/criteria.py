"""Criteria: what the values of an event's fields are compared with, and what each comparison found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from math import isnan
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from slack_alert.core.content.measurements import NUMBERS
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.rules.fields import ABSENT, find_field
from slack_alert.core.rules.operators import (
    CONDITION,
    CONDITIONS,
    SEARCH,
    Comparison,
    check_pattern,
    compare,
    operator_name,
)
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed, suggestion

#: The values of fields, compared with a value, a pattern, a bound, operators by name, or a list of these.
Criteria = Mapping[str, object]

#: Longer operators come first.
_SIGNS: tuple[tuple[str, Callable[[Any, Any], bool]], ...] = (
    (">=", ge), ("<=", le), ("!=", ne), ("==", eq), (">", gt), ("<", lt),
)  # fmt: skip
_ORDERS = (">", "<")
#: In characters: so much is told of a value.
_LONGEST = 200
_HOLDS, _FAILS = Comparison(True), Comparison(False)


class Finding(Struct, frozen=True):
    """What a criterion found in an event, as text for people."""

    #: The field, or what it is instead: `any`, `all`, `not`, `within`.
    field: str
    #: What it is compared with.
    wanted: str
    #: Its value as JSON; None: it is not there, or it is no field.
    actual: str | None
    holds: bool
    #: Why the two cannot be compared.
    fault: str = ""
    #: Those that it is made of.
    parts: tuple[Finding, ...] = ()


def hold(criteria: Criteria, fields: Mapping[str, object], now: datetime) -> bool:
    """Return whether all criteria hold; where there are any, they do for no event without fields."""
    if not criteria:
        return True
    return bool(fields) and all(
        _judged(criterion, find_field(fields, path), now).holds for path, criterion in criteria.items()
    )


def findings(criteria: Criteria, fields: Mapping[str, object], now: datetime) -> Iterator[Finding]:
    """Yield what each criterion finds."""
    for path, criterion in criteria.items():
        value = find_field(fields, path)
        judged = _judged(criterion, value, now)
        fault = judged.fault if fields else "the event has no fields"
        yield Finding(path, shown(criterion), _written(value), judged.holds and bool(fields), fault)


def shown(criterion: object) -> str:
    """Return a criterion as text for people: `>= 95`, `endswith ".conf"`, `"/" or "/var*"`."""
    if isinstance(criterion, list):
        return " or ".join(map(shown, criterion)) or "nothing"
    if isinstance(criterion, dict):
        return " and ".join(
            _shown_operator(word, pattern, criterion) for word, pattern in criterion.items() if word != CONDITION
        )
    return criterion if isinstance(criterion, str) and criterion.startswith(_ALL_SIGNS) else _written(criterion) or ""


def check_criteria(criteria: Criteria) -> None:
    """Raise BadValue if a criterion is not valid."""
    for path, criterion in criteria.items():
        if not isinstance(path, str) or not path.strip():
            raise BadValue(f"the field {path!r} must be a text", hint='Write where={"path": "/etc/*"}.')
        for one in criterion if isinstance(criterion, list) else [criterion]:
            _check(path, one)


def _check(path: str, criterion: object) -> None:
    if isinstance(criterion, dict) and criterion:
        _check_operators(path, criterion)
    elif isinstance(criterion, dict | list):
        raise BadValue(
            f"the criterion of {path} is {criterion!r}",
            hint='A field is compared with a value, a pattern ("/etc/*"), a bound (">= 90"), an operator '
            '({"endswith": ".conf"}) or a list of them.',
        )
    if isinstance(criterion, str) and criterion.startswith(_ORDERS) and _number(criterion.lstrip("<>=")) is None:
        raise BadValue(
            f"the bound of {path} is {criterion!r}, which compares with no number",
            hint=f'Write "{criterion[0]} 0", or "[{criterion[0]}]{criterion[1:]}" for a text that begins so.',
        )


def _check_operators(path: str, operators: Mapping[str, object]) -> None:
    for word, pattern in operators.items():
        if word == CONDITION and SEARCH in operators:
            continue
        try:
            name = operator_name(word)
            if name == SEARCH:
                _check_search(pattern, operators.get(CONDITION))
            else:
                check_pattern(name, pattern)
        except BadValue as error:
            raise BadValue(f"{path}: {error}", hint=error.hint) from error


def _check_search(pattern: object, condition: object) -> None:
    if condition not in CONDITIONS:
        said = "search needs a condition" if condition is None else f"there is no condition {condition!r}"
        raise BadValue(said, hint=suggestion(str(condition), CONDITIONS))
    if not isinstance(pattern, dict) or not pattern:
        raise BadValue(
            "search compares the items of a list", hint='Write {"search": {"item.size": "> 10"}, "condition": "any"}.'
        )
    check_criteria(pattern)


def _judged(criterion: object, value: object, now: datetime) -> Comparison:
    if isinstance(criterion, dict):
        return _by_operators(criterion, None if value is ABSENT else value, now)
    if isinstance(criterion, list):
        each = [_judged(one, value, now) for one in criterion]
        return next(
            (one for one in each if one.holds), Comparison(False, ", ".join(filter(None, (one.fault for one in each))))
        )
    return _HOLDS if _is_like(criterion, value) else _FAILS


def _by_operators(operators: Mapping[str, object], value: object, now: datetime) -> Comparison:
    for word, pattern in operators.items():
        if word == CONDITION and SEARCH in operators:
            continue
        name = operator_name(word)
        is_search = name == SEARCH
        found = _search(value, operators, now) if is_search else compare(name, value, pattern, now)
        if not found.holds:
            return found
    return _HOLDS


def _search(value: object, operators: Mapping[str, object], now: datetime) -> Comparison:
    """Compare the items of a list, or a record as the one item of a list."""
    items = [value] if isinstance(value, Mapping) else value
    pattern, condition = operators[SEARCH], operators.get(CONDITION)
    if not isinstance(items, list | tuple) or not isinstance(pattern, Mapping):
        return Comparison(False, "search looks at a list, and there is none")
    if condition not in CONDITIONS:
        return Comparison(False, f"search has no condition {condition!r}")
    of_items, of_criteria = _QUANTIFIERS[str(condition)]

    def holds(item: object) -> bool:
        named = {"item": item}
        return of_criteria(_judged(each, find_field(named, path), now).holds for path, each in pattern.items())

    return _HOLDS if of_items(map(holds, items)) else _FAILS


def _is_like(criterion: object, value: object) -> bool:
    if value is ABSENT:
        return False
    if not isinstance(criterion, str):
        # Python takes 1 and True for equal; in a criterion they are not.
        return criterion == value and isinstance(criterion, bool) == isinstance(value, bool)
    for sign, comparison in _SIGNS:
        if criterion.startswith(sign):
            return _compared(comparison, value, criterion[len(sign) :].strip())
    return fnmatchcase(composed(str(value)), composed(criterion))


def _compared(comparison: Callable[[Any, Any], bool], value: object, bound: str) -> bool:
    """Return the result of a comparison, numeric if the field holds a number.

    A text, even one of digits, is never more or less than a number.
    """
    number, limit = _number(value) if isinstance(value, NUMBERS) else None, _number(bound)
    if number is not None and limit is not None:
        return comparison(number, limit)
    return comparison in (eq, ne) and comparison(composed(str(value)), composed(bound))


def _number(value: object) -> float | None:
    """Return a value as a number, or None if it is not one; NaN is not one."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if isnan(number) else number


def _shown_operator(word: str, pattern: object, beside: Mapping[str, object]) -> str:
    if word == SEARCH and isinstance(pattern, Mapping):
        criteria = ", ".join(f"{path} {shown(criterion)}" for path, criterion in pattern.items())
        return f"search {beside.get(CONDITION)} ({criteria})"
    return word if word in ("exists", "nexists") else f"{word} {_written(pattern)}"


def _written(value: object) -> str | None:
    """Return the beginning of a value as JSON; None if it is not there."""
    if value is ABSENT:
        return None
    try:
        return excerpt(json.dumps(value, default=str, ensure_ascii=False), _LONGEST)
    except (TypeError, ValueError, RecursionError):  # A key of some other kind, or a value within itself.
        return excerpt(str(value), _LONGEST)


_ALL_SIGNS = tuple(sign for sign, _ in _SIGNS)
_QUANTIFIERS: Mapping[str, tuple[Callable[..., bool], Callable[..., bool]]] = {
    "any": (any, all), "all": (all, all), "any2any": (any, any), "all2any": (all, any),
}  # fmt: skip
