"""Recognise values of libraries by the module of their type; none of these libraries is imported."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any  # These libraries need not be installed.

_PICTURES = (("matplotlib", "Figure"), ("matplotlib", "Axes"), ("PIL", "Image"))
_PNG = b"\x89PNG\r\n\x1a\n"


def is_truth(value: object) -> bool:
    """Return whether a value is numpy's boolean, the result of a comparison of arrays."""
    return is_made_by(value, "numpy", "bool", "bool_")


def is_picture(value: object) -> bool:
    """Return whether a value is a matplotlib figure or axes, a PIL image, or the bytes of a PNG."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value[:8]) == _PNG
    return any(is_made_by(value, module, name) for module, name in _PICTURES)


def png(value: Any) -> bytes:
    """Return a picture as the bytes of a PNG."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    picture = io.BytesIO()
    if is_made_by(value, "PIL", "Image"):
        value.save(picture, format="png")
        return picture.getvalue()
    value = value.figure if is_made_by(value, "matplotlib", "Axes") else value
    value.savefig(picture, format="png")
    # pyplot keeps its figures until they are closed; a closed one can still be drawn.
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(value)
    return picture.getvalue()


def grid(value: Any, most: int) -> tuple[list[Any], list[Sequence[Any]], int] | None:
    """Return headings, the first rows and the number of all rows of a frame or a series; None for other values.

    An index other than the row number is the first column.
    """
    if is_made_by(value, "pandas", "Series"):
        value = value.to_frame("value" if value.name is None else value.name)
    if is_made_by(value, "polars", "Series"):
        value = value.to_frame(value.name or "value")
    if is_made_by(value, "polars", "DataFrame"):
        return list(value.columns), list(value.head(most).rows()), len(value)
    return (*_pandas(value, most), len(value)) if is_made_by(value, "pandas", "DataFrame") else None


def is_made_by(value: object, module: str, *names: str) -> bool:
    """Return whether a value's type, or a base of it, has one of these names in a library's module."""
    return any(cls.__name__ in names and cls.__module__.partition(".")[0] == module for cls in type(value).__mro__)


def _pandas(frame: Any, most: int) -> tuple[list[Any], list[Sequence[Any]]]:
    rows = list(islice(frame.itertuples(name=None), most))
    if type(frame.index).__name__ == "RangeIndex":
        return list(frame.columns), [row[1:] for row in rows]
    names = ["" if name is None else name for name in frame.index.names]
    parts = [row[0] if len(names) > 1 else (row[0],) for row in rows]
    return [*names, *frame.columns], [(*part, *row[1:]) for part, row in zip(parts, rows, strict=True)]
