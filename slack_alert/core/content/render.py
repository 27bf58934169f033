"""Render what a function returned: nothing (quiet), a text, a table of a dict or of rows, Slack's own form, a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any  # A plugin returns values of any type.

from slack_alert.core.content.drafts import Draft, lay_out
from slack_alert.core.content.limits import GREATEST, check_form, cut_bytes, cut_lines, cut_text, empty_file, too_great
from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.notices import error_card, on_terminal, pause_notice, with_notice, with_slot_time
from slack_alert.core.content.pieces import CUT, Blocks, Piece, Text, Upload, deliverable, fallback, split
from slack_alert.core.content.tables import MAX_ROWS
from slack_alert.core.content.values.file_types import ending_of
from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.content.values.unsayable import check_sayable
from slack_alert.core.content.values.unwrap import unwrapped
from slack_alert.core.content.values.value_text import plain_text, readable_text
from slack_alert.core.content.values.value_types import grid, is_picture, is_truth, png
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace

__all__ = [
    "Blocks",
    "Piece",
    "Text",
    "Upload",
    "as_row",
    "deliverable",
    "drafts",
    "error_card",
    "fallback",
    "is_quiet",
    "on_terminal",
    "pause_notice",
    "pieces",
    "plain",
    "split",
    "with_notice",
    "with_slot_time",
]


def pieces(
    value: object, *, mark: Markup, name: str, doc: str | None, redaction: Redaction | None = None
) -> tuple[Piece, ...]:
    """Return the pieces of a value of the job `name`, laid out; an empty tuple is quiet."""
    return lay_out(drafts(value, mark=mark, name=name, doc=doc), redaction or _OPEN)


def drafts(value: object, *, mark: Markup, name: str, doc: str | None) -> tuple[Piece, ...]:
    """Return the pieces of a value of the job `name`, to be laid out by `lay_out`; an empty tuple is quiet.

    Quiet are the values for which `is_quiet` is true, and those that would leave nothing to read: blank text, a list of
    empty items. An iterator is consumed. Raises what the value's own `__str__`, `__len__` or its library raises, and
    TypeError for a value that has no text and is probably a mistake.
    """
    if value is None:
        return ()
    if type(value) is str:
        return _text(cut_text(value, mark.escape))
    if value is True:
        return _text(mark.escape(_first_line(doc) or name))
    if type(value) in {int, float, bool}:
        return _text(plain_text(value)) if value else ()
    found = unwrapped(value)
    if found is not value:
        return drafts(found, mark=mark, name=name, doc=doc)
    return () if is_quiet(value) else _render_value(value, mark, name, doc)


_OPEN = Redaction()


def is_quiet(value: object) -> bool:
    """Return whether a value is empty: `not value`, or a length of zero if that raises (numpy, pandas)."""
    try:
        return not value
    except Exception:  # noqa: BLE001  Libraries raise any exception for "neither true nor false".
        return hasattr(value, "__len__") and len(value) == 0


def _render_value(value: Any, mark: Markup, name: str, doc: str | None) -> tuple[Piece, ...]:
    """Return the pieces of a value that is neither empty nor of a plain type."""
    if isinstance(value, (Text, Blocks, Upload)):
        return (value,)
    if is_truth(value):
        return drafts(True, mark=mark, name=name, doc=doc)
    if _is_own_form(value):
        return _own_form(value, mark)
    if _is_file(value):
        return (_file(value, mark, name),)
    if row := as_row(value):
        return _fields([[_cell(key, mark), _cell(child, mark)] for key, child in row.items()])
    if isinstance(value, (list, tuple, set, frozenset)):
        return _render_items(value, mark, name)
    if (frame := grid(value, MAX_ROWS)) is not None:
        return _table(*frame, mark)
    check_sayable(value)
    return _text(_cell(value, mark))


def _text(canonical: str) -> tuple[Piece, ...]:
    return (Draft("", layout="text", rows=[[canonical]]),) if canonical and not canonical.isspace() else ()


def _fields(rows: list[list[str]]) -> tuple[Piece, ...]:
    return (Draft("", layout="pairs", rows=rows),)


def _cell(value: object, mark: Markup) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)) and not ending_of(bytes(value)):
        return cut_bytes(value, mark.escape)
    return cut_text(readable_text(value), mark.escape)


def _first_line(doc: str | None) -> str:
    return doc.strip().partition("\n")[0].strip() if doc else ""


# --- files


_BYTES = (bytes, bytearray, memoryview)


def _is_named_bytes(value: object) -> bool:
    return (
        type(value) is tuple
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], (*_BYTES, io.BytesIO, io.StringIO))
    )


def _is_file(value: object) -> bool:
    if isinstance(value, _BYTES):
        return bool(ending_of(bytes(value)))
    return isinstance(value, (Path, Upload)) or _is_named_bytes(value) or is_picture(value)


def _file(value: Any, mark: Markup, name: str) -> Piece:
    if isinstance(value, Upload):
        return value
    if isinstance(value, Path):
        return Upload(value.name or str(value), value)
    if isinstance(value, tuple):
        return _named(" ".join(plain(mark.escape(value[0])).split()) or name, value[1])
    if isinstance(value, _BYTES):
        return _named(f"{name}.{ending_of(bytes(value))}", value)
    return Upload(f"{name}.png", png(value))


def _named(title: str, content: Any) -> Piece:
    found = unwrapped(content)
    raw = found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)
    if len(raw) > GREATEST:
        return too_great(title, len(raw))
    return Upload(title, raw) if raw else empty_file(title)


# --- Slack's own form


def _is_own_form(value: object) -> bool:
    """Return whether a dict is Slack's own form; a row with a number called `blocks` is a row."""
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("blocks"), (list, tuple)) or (value.keys() == {"text"} and type(value["text"]) is str)


def _own_form(value: dict[str, Any], mark: Markup) -> tuple[Piece, ...]:
    payload: Any = _sendable(value, mark, 0)
    check_form(payload)
    return (Blocks(payload),) if payload.get("blocks") or str(payload.get("text") or "").strip() else ()


def _sendable(node: Any, mark: Markup, depth: int) -> object:
    """Return a copy in JSON's own types, with ctx's mentions and links put in and nothing escaped."""
    if isinstance(node, str):
        return mark.reveal(node)
    if node is None or (isinstance(node, int) and abs(node) < _GREATEST_NUMBER):
        return node
    if isinstance(node, float) and isfinite(node):
        return float(node)
    if depth > _DEEPEST:
        raise ValueError("Slack's blocks are nested too deeply, perhaps in themselves")
    if isinstance(node, Mapping):
        return {str(key): _sendable(child, mark, depth + 1) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_sendable(child, mark, depth + 1) for child in node]
    if hasattr(node, "to_dict"):  # slack_sdk's models
        return _sendable(node.to_dict(), mark, depth + 1)
    return mark.reveal(plain_text(node))


_DEEPEST = 50
#: Larger integers are not accepted by every JSON parser.
_GREATEST_NUMBER = 2**63


# --- several values, rows, frames


def _render_items(values: Iterable[Any], mark: Markup, name: str) -> tuple[Piece, ...]:
    """Return the pieces of the items that are not empty: single files, rows as a table, others as lines."""
    items = [found for item in values if not is_quiet(item) and not is_quiet(found := unwrapped(item))]
    if isinstance(values, (set, frozenset)):
        items.sort(key=plain_text)
    if all(isinstance(item, Text) and item.text.startswith(CUT) for item in items):
        return ()
    if width := _width(items):
        return _columns(items, width, mark)
    flat = [part for item in items for part in (item if _is_gallery(item) else [item])]
    said: list[Piece] = []
    for how, run in groupby(flat, key=_renderer_of):
        said += how(list(run), mark, name)
    return tuple(_numbered(said))


def _is_gallery(value: object) -> bool:
    return isinstance(value, (list, tuple)) and not _is_named_bytes(value) and bool(value) and all(map(_is_file, value))


def _renderer_of(item: object) -> Callable[[list[Any], Markup, str], tuple[Piece, ...]]:
    if type(item) in _PLAIN:
        return _lines
    if isinstance(item, dict) and "blocks" in item and _is_own_form(item):
        return _forms
    if isinstance(item, (Text, Blocks)):
        return _as_they_are
    if _is_file(item):
        return _files
    return _rows if as_row(item) else _lines


_PLAIN = frozenset({str, int, float, bool})


def _as_they_are(items: list[Any], _mark: Markup, _name: str) -> tuple[Piece, ...]:
    return tuple(items)


def _width(items: list[Any]) -> int:
    """Return the number of columns if all items are database rows, tuples of one length and no files; else 0."""
    widths = {len(item) if type(item) is tuple and not _is_named_bytes(item) else 0 for item in items}
    return widths.pop() if len(widths) == 1 else 0


def _columns(rows: list[Any], width: int, mark: Markup) -> tuple[Piece, ...]:
    if width == 1:
        return _lines([row[0] for row in rows], mark, "")
    kept = rows[:MAX_ROWS]
    cells = [[_cell(cell, mark) for cell in row] for row in kept]
    numbers = tuple(at for at in range(width) if all(_is_number(row[at]) for row in kept))
    return (Draft("", layout="columns", rows=cells, count=len(rows), right=numbers),)


def _forms(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    return tuple(piece for item in items for piece in _own_form(item, mark))


def _files(items: list[Any], mark: Markup, name: str) -> tuple[Piece, ...]:
    return tuple(_file(item, mark, name) for item in items)


def _lines(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    for item in items:
        check_sayable(item, inside="a list that holds ")
    written = (line for item in items if (line := _cell(item, mark)) and not line.isspace())
    lines = cut_lines(written, len(items))
    return (Draft("", layout="lines", rows=[[line] for line in lines]),) if lines else ()


def _rows(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    rows = [row for item in items if (row := as_row(item))]
    head = list(dict.fromkeys(key for row in rows for key in row))
    return _table(head, [[row.get(key, "") for key in head] for row in rows[:MAX_ROWS]], len(rows), mark)


def _numbered(said: list[Piece]) -> list[Piece]:
    """Return the pieces with a number added to the names of files of the same name."""
    names = [piece.name for piece in said if isinstance(piece, Upload)]
    seen: dict[str, int] = {}
    numbered: list[Piece] = []
    for piece in said:
        if isinstance(piece, Upload) and names.count(piece.name) > 1:
            seen[piece.name] = seen.get(piece.name, 0) + 1
            stem, dot, ending = piece.name.rpartition(".")
            numbered.append(replace(piece, name=f"{stem or ending}-{seen[piece.name]}{dot}{ending if dot else ''}"))
        else:
            numbered.append(piece)
    return numbered


def _table(head: Sequence[Any], rows: Sequence[Sequence[Any]], count: int, mark: Markup) -> tuple[Piece, ...]:
    numbers = tuple(at for at in range(len(head)) if all(_is_number(row[at]) for row in rows))
    cells = [[_cell(cell, mark) for cell in row] for row in (head, *rows)]
    return (Draft("", layout="table", rows=cells, count=count, right=numbers),)


def _is_number(value: object) -> bool:
    # The numbers of all libraries have it; of strings only numpy's do, which are excluded as `str`.
    return hasattr(value, "__float__") and not isinstance(value, (bool, str))
