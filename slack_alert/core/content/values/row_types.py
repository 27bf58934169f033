"""Read values with named fields as rows, whichever library defines them; none of these libraries is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any  # A plugin returns values of any type.

from slack_alert.core.content.values.value_types import is_made_by

Row = Mapping[Any, Any]


def as_row(value: Any) -> Row | None:
    """Return a dict or a record with named fields as a row, else None; fields with `repr=False` are left out."""
    if type(value) in _NO_ROWS:
        return None
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (type, BaseException)):
        return None
    if is_dataclass(value):
        return _read(value, (field.name for field in fields(value) if field.repr))
    if isinstance(value, tuple):
        return _named_tuple(value)
    if isinstance(value, SimpleNamespace) or is_made_by(value, "argparse", "Namespace"):
        return dict(vars(value))
    return _vendors(value)


_NO_ROWS = frozenset({str, int, float, bool, type(None), bytes, list, set})


def _read(value: Any, names: Any) -> Row:
    return {name: getattr(value, name) for name in names}


def _named_tuple(value: Any) -> Row | None:
    kind: Any = type(value)
    if hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value, strict=False))
    # Structs of the standard library: `os.stat_result`, `time.struct_time`.
    return dict(zip(kind.__match_args__, value, strict=False)) if hasattr(kind, "n_sequence_fields") else None


def _vendors(value: Any) -> Row | None:
    kind: Any = type(value)
    if hasattr(kind, "__attrs_attrs__"):
        return _read(value, (each.name for each in kind.__attrs_attrs__ if each.repr))
    if hasattr(kind, "__struct_fields__"):  # msgspec
        return _read(value, kind.__struct_fields__)
    for module, name, read in _KINDS:
        if is_made_by(value, module, name):
            return read(value)
    return None


def _model(value: Any) -> Row:
    """Return the fields of a pydantic model (version 1 or 2), including undeclared ones."""
    kind = type(value)
    declared = getattr(kind, "model_fields", None)
    if declared is None:
        declared = {name: field.field_info for name, field in kind.__fields__.items()}
    names = [name for name, field in declared.items() if getattr(field, "repr", True)]
    return {**_read(value, names), **(getattr(value, "model_extra", None) or {})}


def _structured(value: Any) -> Row | None:
    """Return the fields of an element of a structured numpy array."""
    names = value.dtype.names
    return None if names is None else {name: value[name] for name in names}


_KINDS: tuple[tuple[str, str, Callable[[Any], Row | None]], ...] = (
    ("sqlite3", "Row", dict),
    ("asyncpg", "Record", dict),
    ("sqlalchemy", "Row", lambda value: dict(value._mapping)),
    ("pydantic", "BaseModel", _model),
    ("numpy", "void", _structured),
)
