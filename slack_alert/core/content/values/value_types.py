"""Vendors' values, recognised by the module of their type; none of these libraries is imported."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any  # These libraries need not be installed.

_PICTURES = (("matplotlib", "Figure"), ("matplotlib", "Axes"), ("PIL", "Image"))
_PNG = b"\x89PNG\r\n\x1a\n"


def is_truth(value: object) -> bool:
    """Return whether this is numpy's boolean, which a comparison of arrays gives."""
    return is_made_by(value, "numpy", "bool", "bool_")


def is_picture(value: object) -> bool:
    """Return whether this is a figure or axes of matplotlib, an image of PIL, or the bytes of a PNG."""
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
    # A figure made by pyplot stays there until it is closed; closed, it can still be drawn.
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(value)
    return picture.getvalue()


def grid(value: Any, most: int) -> tuple[list[Any], list[Sequence[Any]], int] | None:
    """Return heads, the first rows and the number of all rows of a frame or a series.

    An index that says more than the row's number comes first.
    """
    if is_made_by(value, "pandas", "Series"):
        value = value.to_frame("value" if value.name is None else value.name)
    if is_made_by(value, "polars", "Series"):
        value = value.to_frame(value.name or "value")
    if is_made_by(value, "polars", "DataFrame"):
        return list(value.columns), list(value.head(most).rows()), len(value)
    return (*_pandas(value, most), len(value)) if is_made_by(value, "pandas", "DataFrame") else None


def is_made_by(value: object, module: str, *names: str) -> bool:
    """Return whether the value's type, or one it derives from, is a vendor's."""
    return any(cls.__name__ in names and cls.__module__.partition(".")[0] == module for cls in type(value).__mro__)


def _pandas(frame: Any, most: int) -> tuple[list[Any], list[Sequence[Any]]]:
    rows = list(islice(frame.itertuples(name=None), most))
    if type(frame.index).__name__ == "RangeIndex":
        return list(frame.columns), [row[1:] for row in rows]
    names = ["" if name is None else name for name in frame.index.names]
    parts = [row[0] if len(names) > 1 else (row[0],) for row in rows]
    return [*names, *frame.columns], [(*part, *row[1:]) for part, row in zip(parts, rows, strict=True)]
