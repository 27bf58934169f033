"""Find the fields of an event: by name, or by a path through its records and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import composed

#: Stands for the value of a field that is not there.
ABSENT = object()
#: A step to the first item of a list that has the rest of the path.
_ANY_ITEM = object()
_STEP = lazy_pattern(r"""\['([^']*)'\]|\["([^"]*)"\]|\[(-?\d{1,9}|\*)\]|(?:^|\.)([^.\[]+)""")


def find_field(fields: Mapping[str, object], path: str) -> object:
    """Return a field by its name, else by its path: `disk.free`, `disks[0].free`, `headers['X-Event']`; else ABSENT.

    `disks[*].free` is that of the first item that has it. What follows a `#` tells criteria of one field apart.
    """
    direct = _named(fields, path)
    if direct is not ABSENT:
        return direct
    found = _followed(fields, _steps(path))
    return find_field(fields, path.rpartition("#")[0]) if found is ABSENT and "#" in path else found


def _followed(value: object, steps: Sequence[object]) -> object:
    for number, step in enumerate(steps):
        if step is _ANY_ITEM:
            return _first_with(value, steps[number + 1 :])
        value = _step_into(value, step)
        if value is ABSENT:
            return ABSENT
    return value


def _step_into(value: object, step: object) -> object:
    if isinstance(step, int):
        is_there = isinstance(value, list | tuple) and -len(value) <= step < len(value)
        return value[step] if is_there and isinstance(value, list | tuple) else ABSENT
    return _named(value, str(step)) if isinstance(value, Mapping) else ABSENT


def _first_with(value: object, steps: Sequence[object]) -> object:
    items = value if isinstance(value, list | tuple) else ()
    found = (_followed(item, steps) for item in items)
    return next((each for each in found if each is not ABSENT), ABSENT)


def _named(fields: Mapping[str, object], name: str) -> object:
    if name in fields or name.isascii():
        return fields.get(name, ABSENT)
    wanted = composed(name)
    return next((value for key, value in fields.items() if isinstance(key, str) and composed(key) == wanted), ABSENT)


@lru_cache(1024)
def _steps(path: str) -> tuple[object, ...]:
    """Return the steps of a path: names, numbers of items, or any item."""
    steps, end = list[object](), 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            return tuple(path.split("."))
        quoted, double_quoted, item, name = step.groups()
        if item is not None:
            steps.append(_ANY_ITEM if item == "*" else int(item))
        else:
            steps.append(next(each for each in (quoted, double_quoted, name) if each is not None))
        end = step.end()
    return tuple(steps) if end == len(path) else tuple(path.split("."))
