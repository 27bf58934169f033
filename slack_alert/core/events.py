"""Events, and the rules that select them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from math import isnan
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from slack_alert.core.content.measurements import NUMBERS
from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed

#: Longer operators come first.
_COMPARISONS: tuple[tuple[str, Callable[[Any, Any], bool]], ...] = (
    (">=", ge), ("<=", le), ("!=", ne), ("==", eq), (">", gt), ("<", lt),
)  # fmt: skip
_ORDERS = (">", "<")
_ABSENT = object()


class Emitted(Struct, frozen=True):
    """Something that happened, reported by a sensor or by a call of `emit`."""

    name: str
    at: datetime
    fields: Mapping[str, object]
    #: Who reported it: a sensor, or nobody known.
    by: str = ""
    #: Where the answer goes; empty: where the job that answers posts.
    reply_to: str = ""
    #: The id of the event that caused it, 0 for none, and how many came before it in that way.
    cause: int = 0
    depth: int = 0
    #: Given when it is accepted, where a job wants it; 0 before.
    id: int = 0
    #: How many starts of the program found it the next one that a job had to answer.
    attempts: int = 0


class AcceptedEvent(Struct, frozen=True):
    """An event that is kept until each of these jobs has answered it; its fields have JSON values only."""

    event: Emitted
    jobs: tuple[str, ...]


class HookCall(Struct, frozen=True):
    """A call of a hook that has shown the secret."""

    event: Emitted
    #: What tells that the call was made before: the ids of its delivery, and its signature. Empty: nothing does.
    marks: tuple[str, ...]
    #: Identifies the body.
    digest: str


class HookAnswer(Struct, frozen=True):
    """What became of a call."""

    #: The id of its event, or of that of the call which it repeats.
    event: int
    #: Whether it repeats a former call.
    is_repeated: bool = False
    #: Whether it has the marks of a former call, and another body: it was refused.
    is_refused: bool = False


class Rule(Struct, frozen=True):
    """The events that a job reacts to: by name (`disk.*` for several), and by the values of their fields."""

    on: tuple[str, ...]
    where: Mapping[str, object]

    def matches(self, event: Emitted) -> bool:
        """Return whether an event matches; every criterion must hold."""
        if not self.matches_name(event.name):
            return False
        return all(_holds(criterion, _field(event.fields, path)) for path, criterion in self.where.items())

    def matches_name(self, name: str) -> bool:
        """Return whether an event of this name can match."""
        return any(fnmatchcase(composed(name), composed(each)) for each in self.on)

    def describe(self) -> str:
        """Return the names of the events as text for people."""
        return "on " + ", ".join(self.on)


def fields_of(value: object) -> Mapping[str, object]:
    """Return the fields of an event from a sensor's value: those of a record, or `value` for anything else."""
    found = as_row(value)
    return {"value": value} if found is None else {str(name): field for name, field in found.items()}


def plain_fields(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return fields as they can be kept: values that JSON does not support as text."""
    try:
        found: Mapping[str, object] = json.loads(json.dumps(dict(fields), default=str))
    except (TypeError, ValueError, RecursionError):  # A key of some other kind, or a value within itself.
        return {name: str(value) for name, value in fields.items()}
    return found


def check_criteria(where: Mapping[str, object]) -> None:
    """Raise BadValue if a criterion is not valid."""
    for path, criterion in where.items():
        if not isinstance(path, str) or not path.strip():
            raise BadValue(f"the field {path!r} must be a text", hint='Write where={"path": "/etc/*"}.')
        for one in criterion if isinstance(criterion, list) else [criterion]:
            if isinstance(one, dict | list):
                raise BadValue(
                    f"the criterion of {path} is {one!r}",
                    hint='A field is compared with a value, a pattern ("/etc/*"), a bound (">= 90") or a list of them.',
                )
            if isinstance(one, str) and one.startswith(_ORDERS) and _number(one.lstrip("<>=")) is None:
                raise BadValue(
                    f"the bound of {path} is {one!r}, which compares with no number",
                    hint=f'Write "{one[0]} 0", or "[{one[0]}]{one[1:]}" for a text that begins so.',
                )


def _field(fields: Mapping[str, object], path: str) -> object:
    """Return a field by its name, else by its path through nested records: `disk.free`."""
    direct = _named(fields, path)
    if direct is not _ABSENT:
        return direct
    found: object = fields
    for name in path.split("."):
        found = _named(found, name) if isinstance(found, Mapping) else _ABSENT
    return found


def _named(fields: Mapping[str, object], name: str) -> object:
    if name in fields or name.isascii():
        return fields.get(name, _ABSENT)
    wanted = composed(name)
    return next((value for key, value in fields.items() if isinstance(key, str) and composed(key) == wanted), _ABSENT)


def _holds(criterion: object, value: object) -> bool:
    if isinstance(criterion, list):
        return any(_holds(one, value) for one in criterion)
    if value is _ABSENT:
        return False
    if not isinstance(criterion, str):
        # Python takes 1 and True for equal; in a criterion they are not.
        return criterion == value and isinstance(criterion, bool) == isinstance(value, bool)
    for sign, compare in _COMPARISONS:
        if criterion.startswith(sign):
            return _compared(compare, value, criterion[len(sign) :].strip())
    return fnmatchcase(composed(str(value)), composed(criterion))


def _compared(compare: Callable[[Any, Any], bool], value: object, bound: str) -> bool:
    """Return the result of a comparison, numeric if the field holds a number.

    A text, even one of digits, is never more or less than a number.
    """
    number, limit = _number(value) if isinstance(value, NUMBERS) else None, _number(bound)
    if number is not None and limit is not None:
        return compare(number, limit)
    return compare in (eq, ne) and compare(composed(str(value)), composed(bound))


def _number(value: object) -> float | None:
    """Return a value as a number, or None if it is not one; NaN is not one."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if isnan(number) else number
