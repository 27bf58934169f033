"""What a value stands for: a lazy iterator for its items, an open file for its content, a response for its body."""

from __future__ import annotations

import io
import sys
from array import array
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any  # A plugin returns what it likes.

from slack_alert.core.content.limits import GREATEST, LONGEST
from slack_alert.core.content.pieces import CUT, Text
from slack_alert.core.content.values.file_types import ending_of
from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.content.values.value_types import is_made_by


def unwrapped(value: Any) -> Any:
    """Return the plain value that this one stands for; raise what says that it failed.

    An iterator is consumed, as far as anybody would read: endless ones are cut. What is plain is returned as it is.
    """
    if type(value) in _PLAIN:
        return value
    for find in (_content, _answer, _vendors, _items, _path):
        found = find(value)
        if found is not None:
            return found
    return value


def is_file(value: object) -> bool:
    """Return whether this is an open file, one of `tempfile`'s included."""
    # One that stays in memory at first is no IOBase before Python 3.11.
    return isinstance(value, io.IOBase) or is_made_by(
        value, "tempfile", "_TemporaryFileWrapper", "SpooledTemporaryFile"
    )


def is_items(value: object) -> bool:
    """Return whether this is an iterator that hands out items, and no file."""
    return isinstance(value, Iterator) and not is_file(value)


_PLAIN = frozenset({str, int, float, bool, type(None), bytes, list, tuple, dict, set, frozenset})


# --- what holds text or bytes


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
    """Return the path of an open file, or what is in it where it has none; what was written belongs to it."""
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


# --- what came back from elsewhere


def _answer(value: Any) -> Any:
    if is_made_by(value, "subprocess", "CompletedProcess"):
        value.check_returncode()
        # Nothing was captured, and all is well.
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


# --- what holds items


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
    """Return whether a value is nothing but its items: nobody has said how to write it, and it is no record."""
    kind: Any = type(value)
    if kind.__str__ is not object.__str__ or isinstance(value, _SAID_AS_THEY_ARE) or as_row(value) is not None:
        return False
    return isinstance(value, (Sequence, AbstractSet)) or (hasattr(kind, "__iter__") and _is_nameless(value))


_SAID_AS_THEY_ARE = (str, bytes, bytearray, list, tuple, set, frozenset, type)


def _of_ndarray(value: Any) -> Any:
    """Return the items of an array of objects or of records; its own text says what others hold."""
    return list(value) if value.ndim and value.dtype.kind in "OV" else None


def _path(value: Any) -> str | None:
    """Return the path that an entry of a folder stands for; a file to be sent is a `Path`."""
    return value.path if is_made_by(value, "posix", "DirEntry") or is_made_by(value, "nt", "DirEntry") else None


def _is_nameless(value: object) -> bool:
    return type(value).__repr__ is object.__repr__


#: So many items are taken of what may have no end.
_MOST = 100_000


def _taken(items: Iterable[Any]) -> list[Any]:
    """Return the items as a list, with a word on those that were left out."""
    taken: list[Any] = []
    size = 0
    for item in items:
        if len(taken) == _MOST or size > _MOST_SIZE:
            return [*taken, Text(f"{CUT} the first {len(taken):,} items")]
        taken.append(item)
        size += len(item) if isinstance(item, (str, bytes, list, tuple, dict)) else 1
    return taken


_MOST_SIZE = max(LONGEST, GREATEST) + LONGEST
