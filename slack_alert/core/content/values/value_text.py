"""Convert a value to text, where Python's `str` shows too little, too much, or raises."""

from __future__ import annotations

import io
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import is_dataclass
from enum import Enum
from itertools import islice
from typing import Any  # A plugin returns values of any type.

from slack_alert.core.content.values.file_types import decoded, ending_of
from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.patterns import lazy_pattern

#: Memory address in the text of an object, which differs each time.
ADDRESS = "(?: object)? at 0x[0-9a-fA-F]+"


def readable_text(value: object) -> str:
    """Return a value as text for people: bytes decoded, an exception with its type, anything else as `str`.

    Nested values are shown without Python's syntax: `2026-01-01`, not `datetime.date(2026, 1, 1)`.
    """
    if type(value) is str:
        return value
    if type(value) in _NUMBERS:
        return plain_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _words_of(bytes(value))
    if isinstance(value, BaseException):
        said = str(value)
        return f"{type(value).__name__}: {said}" if said else type(value).__name__
    value = _listed(value)
    return _inner(value, ()) if _is_written_out(value) else plain_text(value)


def plain_text(value: object) -> str:
    """Return `str(value)` without memory addresses and numpy's types; huge integers in hexadecimal.

    Python refuses to convert those to decimal.
    """
    if type(value) is int:
        return hex(value) if abs(value) > _LONG else str(value)
    # A plain `str`, because the methods of a subclass could do anything.
    text = str.__str__(str(value))
    if isinstance(value, str):
        return text
    if "np." in text:
        text = _NUMPY.sub(r"\1", text)
    return _PLACE.sub("", text) if " at 0x" in text else text


#: Python's own limit is between 640 and 4,300 digits; nobody reads so many in decimal.
_LONG = 10**600
#: Maximum number of items shown of a nested iterator.
_MOST = 1_000
#: Values nested deeper are left out.
_DEEPEST = 30
_NUMPY = lazy_pattern(r"\bnp\.(?:bool|int|uint|float|complex|longdouble|str|bytes|datetime|timedelta)\w*\(([^()]*)\)")
_PLACE = lazy_pattern(rf"{ADDRESS}(?=[^<]*>)")
_NUMBERS = frozenset({int, float, bool})
_PLAIN = frozenset({float, bool, type(None)})
_LISTS = (list, tuple, set, frozenset)
_Outer = tuple[int, ...]


def _words_of(content: bytes) -> str:
    ending = ending_of(content)
    return f"{len(content):,} bytes ({ending})" if ending else decoded(content)


def _listed(value: Any) -> Any:
    """Return an iterator or a view as a list of its first items; any other value is returned as it is."""
    if isinstance(value, (Iterator, KeysView, ValuesView, ItemsView)) and not isinstance(value, io.IOBase):
        return list(islice(value, _MOST))
    return value


def _is_written_out(value: object) -> bool:
    """Return whether a value is shown item by item: it is a container and defines no text of its own."""
    kind: Any = type(value)
    if kind.__str__ is not object.__str__:
        return False
    if isinstance(value, (*_LISTS, Mapping)) and not hasattr(kind, "_fields"):
        return True
    # Only a generated `__repr__` is replaced, not one that somebody wrote.
    if is_dataclass(value):
        return hasattr(kind.__repr__, "__wrapped__")
    return isinstance(value, tuple) and kind.__repr__.__module__ == "collections"


def _inner(value: Any, outer: _Outer) -> str:
    kind = type(value)
    if kind in _PLAIN:
        return str(value)
    if isinstance(value, Enum):
        return plain_text(value)
    if isinstance(value, str):
        return str.__repr__(value)
    if isinstance(value, (bytes, bytearray)):
        return repr(_words_of(bytes(value)))
    if isinstance(value, BaseException):
        return readable_text(value)
    value = _listed(value)
    return _written_out(value, outer) if _is_written_out(value) else plain_text(value)


def _written_out(value: Any, outer: _Outer) -> str:
    opened, closed = _brackets(value)
    if id(value) in outer or len(outer) >= _DEEPEST:
        return f"{opened}...{closed}"
    inside = (*outer, id(value))
    if isinstance(value, Mapping):
        return _joined((f"{_inner(key, inside)}: {_inner(child, inside)}" for key, child in value.items()), "{", "}")
    if isinstance(value, _LISTS) and not hasattr(value, "_fields"):
        closed = ",)" if isinstance(value, tuple) and len(value) == 1 else closed
        return _joined((_inner(child, inside) for child in value), opened, closed)
    row = as_row(value) or {}
    return _joined((f"{name}={_inner(child, inside)}" for name, child in row.items()), opened, closed)


def _brackets(value: object) -> tuple[str, str]:
    if isinstance(value, (Mapping, set, frozenset)):
        return "{", "}"
    if isinstance(value, list):
        return "[", "]"
    return ("(" if type(value) is tuple else f"{type(value).__name__}("), ")"


def _joined(parts: Iterable[str], opened: str, closed: str) -> str:
    return f"{opened}{', '.join(parts)}{closed}"
