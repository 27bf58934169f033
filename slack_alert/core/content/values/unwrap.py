"""Unwrap values: an iterator to its items, an open file to its content, a response to its body."""

from __future__ import annotations

import io
import sys
from array import array
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any  # A plugin returns values of any type.

from slack_alert.core.content.limits import GREATEST, LONGEST
from slack_alert.core.content.pieces import CUT, Text
from slack_alert.core.content.values.file_types import ending_of
from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.content.values.value_types import is_made_by


def unwrapped(value: Any) -> Any:
    """Return the plain value that a value wraps; raise the exception of a failed response or process.

    An iterator is consumed up to a limit, as it may be endless. Plain values are returned as they are.
    """
    if type(value) in _PLAIN:
        return value
    for find in (_content, _answer, _vendors, _items, _path):
        found = find(value)
        if found is not None:
            return found
    return value


def is_file(value: object) -> bool:
    """Return whether a value is an open file, including those of `tempfile`."""
    # A SpooledTemporaryFile is no IOBase before Python 3.11.
    return isinstance(value, io.IOBase) or is_made_by(
        value, "tempfile", "_TemporaryFileWrapper", "SpooledTemporaryFile"
    )


def is_items(value: object) -> bool:
    """Return whether a value is an iterator and no file."""
    return isinstance(value, Iterator) and not is_file(value)


_PLAIN = frozenset({str, int, float, bool, type(None), bytes, list, tuple, dict, set, frozenset})


# --- containers of text or bytes


def _content(value: Any) -> Any:
    if isinstance(value, memoryview):
        return value.tobytes()
    if isinstance(value, array):
        return _of_array(value)
    if isinstance(value, (io.StringIO, io.BytesIO)):
        return value.getvalue()
    if is_made_by(value, "mmap", "mmap"):
        return value[: GREATEST + 1]
    return _of_file(value) if is_file(value) else None


def _of_array(value: Any) -> Any:
    if value.typecode in {"b", "B"}:
        return value.tobytes()
    return "".join(value) if value.typecode in {"u", "w"} else value.tolist()


def _of_file(value: Any) -> Any:
    """Return the path of an open file, or its content if it has none; written data is flushed before."""
    if is_made_by(value, "tempfile", "SpooledTemporaryFile"):
        return _read_from_the_start(value)
    name = getattr(value, "name", None)
    if not value.closed and (not value.seekable() or name in _STREAMS):
        raise TypeError("returned an open pipe or connection, which may never end: read it, and return what came")
    if not value.closed and value.writable():
        value.flush()
    if isinstance(name, (str, bytes)):
        return Path(name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    return _read_from_the_start(value)


_STREAMS = ("<stdin>", "<stdout>", "<stderr>")


def _read_from_the_start(value: Any) -> Any:
    value.seek(0)
    content = value.read(GREATEST + 1)
    value.close()
    return content


# --- results of processes, requests and libraries


def _answer(value: Any) -> Any:
    if is_made_by(value, "subprocess", "CompletedProcess"):
        value.check_returncode()
        # The output was not captured, and the process succeeded.
        return "" if value.stdout is None else value.stdout
    if is_made_by(value, "requests", "Response") or is_made_by(value, "httpx", "Response"):
        value.raise_for_status()
        return value.content if ending_of(value.content) else value.text
    return None


def _vendors(value: Any) -> Any:
    if is_made_by(value, "polars", "LazyFrame"):
        return value.collect()
    if is_made_by(value, "pydantic", "RootModel"):
        return value.root
    if is_made_by(value, "xml", "ElementTree"):
        return _vendors(value.getroot())
    for module, name in (("xml.etree.ElementTree", "Element"), ("lxml.etree", "_Element")):
        if is_made_by(value, module.partition(".")[0], name):
            return sys.modules[module].tostring(value, encoding="unicode")
    return None


# --- containers of items


def _items(value: Any) -> Any:
    if isinstance(value, Iterator):
        return _taken(value)
    if isinstance(value, (KeysView, ValuesView)):
        return list(value)
    if isinstance(value, ItemsView):
        return dict(value)
    if is_made_by(value, "pandas", "Index"):
        return value.tolist()
    if is_made_by(value, "numpy", "ndarray"):
        return _of_ndarray(value)
    return _taken(value) if _is_collection(value) else None


def _is_collection(value: Any) -> bool:
    """Return whether a value is to be shown as its items: it defines no text of its own, and is no record."""
    kind: Any = type(value)
    if kind.__str__ is not object.__str__ or isinstance(value, _SAID_AS_THEY_ARE) or as_row(value) is not None:
        return False
    return isinstance(value, (Sequence, AbstractSet)) or (hasattr(kind, "__iter__") and _is_nameless(value))


_SAID_AS_THEY_ARE = (str, bytes, bytearray, list, tuple, set, frozenset, type)


def _of_ndarray(value: Any) -> Any:
    """Return the items of an array of objects or records; other arrays have a good text of their own."""
    return list(value) if value.ndim and value.dtype.kind in "OV" else None


def _path(value: Any) -> str | None:
    """Return the path of a directory entry, as text; a file to be sent is a `Path`."""
    return value.path if is_made_by(value, "posix", "DirEntry") or is_made_by(value, "nt", "DirEntry") else None


def _is_nameless(value: object) -> bool:
    return type(value).__repr__ is object.__repr__


#: Maximum number of items taken from an iterable, which may be endless.
_MOST = 100_000


def _taken(items: Iterable[Any]) -> list[Any]:
    """Return the items as a list, with a notice if some were left out."""
    taken: list[Any] = []
    size = 0
    for item in items:
        if len(taken) == _MOST or size > _MOST_SIZE:
            return [*taken, Text(f"{CUT} the first {len(taken):,} items")]
        taken.append(item)
        size += len(item) if isinstance(item, (str, bytes, list, tuple, dict)) else 1
    return taken


_MOST_SIZE = max(LONGEST, GREATEST) + LONGEST
