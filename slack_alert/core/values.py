"""What a plugin's value becomes: quiet, a text, Slack's own form, or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any  # A plugin returns what it likes.

from slack_alert.core.bulk import GREATEST, check_form, cut_bytes, cut_lines, cut_text, too_great
from slack_alert.core.drafts import Draft, lay_out
from slack_alert.core.foreign import grid, is_picture, is_record, is_truth, png
from slack_alert.core.markup import Markup, plain
from slack_alert.core.notices import error_card, on_terminal, pause_notice, with_notice, with_slot_time
from slack_alert.core.parts import Blocks, Piece, Text, Upload, deliverable, fallback, split
from slack_alert.core.redaction import Redaction
from slack_alert.core.spelling import read, spell
from slack_alert.core.structs import replace
from slack_alert.core.tables import MAX_ROWS

__all__ = [
    "Blocks",
    "Piece",
    "Text",
    "Upload",
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
    """Return what is said for a value of the job `name`, laid out; an empty tuple is quiet."""
    return lay_out(drafts(value, mark=mark, name=name, doc=doc), redaction or _OPEN)


def drafts(value: object, *, mark: Markup, name: str, doc: str | None) -> tuple[Piece, ...]:
    """Return what `lay_out` makes the pieces of that are said for a value of the job `name`; empty is quiet.

    Quiet is what `is_quiet` says, and besides it what would leave nothing to read: text of white space only, a list of
    empty things. A generator is not consumed: whoever runs it calls this for each value. What the value's own
    `__str__`, `__len__` or its vendor raises goes through to the caller.
    """
    if value is None:
        return ()
    if type(value) is str:
        return _text(cut_text(value, mark.escape))
    if value is True:
        return _text(mark.escape(_first_line(doc) or name))
    if type(value) in {int, float, bool}:
        return _text(spell(value)) if value else ()
    return () if is_quiet(value) else _spoken(value, mark, name, doc)


_OPEN = Redaction()


def is_quiet(value: object) -> bool:
    """Return whether a value is empty: `not value`, or where that raises (numpy, pandas) a length of zero."""
    try:
        return not value
    except Exception:  # noqa: BLE001  A vendor raises what it likes for "neither true nor false".
        return hasattr(value, "__len__") and len(value) == 0


_Row = Mapping[Any, Any]


def as_row(value: Any) -> _Row | None:
    """Return a dict, a dataclass or a named tuple as a row; a field with `repr=False` stays hidden."""
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value) and not isinstance(value, (type, BaseException)):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.repr}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=False))
    return dict(value) if is_record(value) else None


def _spoken(value: Any, mark: Markup, name: str, doc: str | None) -> tuple[Piece, ...]:
    """Return the pieces of a value that is neither empty nor one of the plain types."""
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
        return _several(value, mark, name)
    if (frame := grid(value, MAX_ROWS)) is not None:
        return _table(*frame, mark)
    return _text(_cell(value, mark))


def _text(canonical: str) -> tuple[Piece, ...]:
    return (Draft("", layout="text", rows=[[canonical]]),) if canonical and not canonical.isspace() else ()


def _fields(rows: list[list[str]]) -> tuple[Piece, ...]:
    return (Draft("", layout="pairs", rows=rows),)


def _cell(value: object, mark: Markup) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return cut_bytes(value, mark.escape)
    return cut_text(read(value), mark.escape)


def _first_line(doc: str | None) -> str:
    return doc.strip().partition("\n")[0].strip() if doc else ""


# --- files


def _is_named_bytes(value: object) -> bool:
    return (
        type(value) is tuple
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], (bytes, bytearray, memoryview))
    )


def _is_file(value: object) -> bool:
    return isinstance(value, (Path, Upload)) or _is_named_bytes(value) or is_picture(value)


def _file(value: Any, mark: Markup, name: str) -> Piece:
    if isinstance(value, Upload):
        return value
    if isinstance(value, Path):
        return Upload(value.name or str(value), value)
    if isinstance(value, tuple):
        title = plain(mark.escape(value[0])).strip() or name
        if len(value[1]) > GREATEST:
            return too_great(title, len(value[1]))
        # Slack refuses a file without content, and saying nothing would hide it.
        return Upload(title, bytes(value[1])) if value[1] else Text(f"{mark.escape(title)}: an empty file")
    return Upload(f"{name}.png", png(value))


# --- Slack's own form


def _is_own_form(value: object) -> bool:
    """Return whether Slack can take this dict; a row with a number called `blocks` is a row."""
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
    if node is None or isinstance(node, int) or (isinstance(node, float) and isfinite(node)):
        return node
    if depth > _DEEPEST:
        raise ValueError("Slack's blocks are nested too deeply, perhaps in themselves")
    if isinstance(node, Mapping):
        return {str(key): _sendable(child, mark, depth + 1) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_sendable(child, mark, depth + 1) for child in node]
    if hasattr(node, "to_dict"):  # slack_sdk's models
        return _sendable(node.to_dict(), mark, depth + 1)
    return mark.reveal(spell(node))


_DEEPEST = 50


# --- several values, rows, frames


def _several(values: Iterable[Any], mark: Markup, name: str) -> tuple[Piece, ...]:
    """Say the items that are not empty: files one by one, rows as a table, what is left one line each."""
    items = [item for item in values if not is_quiet(item)]
    if isinstance(values, (set, frozenset)):
        items.sort(key=spell)
    flat = [part for item in items for part in (item if _is_gallery(item) else [item])]
    said: list[Piece] = []
    for how, run in groupby(flat, key=_how):
        said += how(list(run), mark, name)
    return tuple(_numbered(said))


def _is_gallery(value: object) -> bool:
    return isinstance(value, (list, tuple)) and not _is_named_bytes(value) and bool(value) and all(map(_is_file, value))


def _how(item: object) -> Callable[[list[Any], Markup, str], tuple[Piece, ...]]:
    if isinstance(item, dict) and "blocks" in item and _is_own_form(item):
        return _forms
    if _is_file(item):
        return _files
    return _rows if as_row(item) else _lines


def _forms(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    return tuple(piece for item in items for piece in _own_form(item, mark))


def _files(items: list[Any], mark: Markup, name: str) -> tuple[Piece, ...]:
    return tuple(_file(item, mark, name) for item in items)


def _lines(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    written = (line for item in items if (line := _cell(item, mark)) and not line.isspace())
    lines = cut_lines(written, len(items))
    return (Draft("", layout="lines", rows=[[line] for line in lines]),) if lines else ()


def _rows(items: list[Any], mark: Markup, _: str) -> tuple[Piece, ...]:
    rows = [row for item in items if (row := as_row(item))]
    head = list(dict.fromkeys(key for row in rows for key in row))
    return _table(head, [[row.get(key, "") for key in head] for row in rows[:MAX_ROWS]], len(rows), mark)


def _numbered(said: list[Piece]) -> list[Piece]:
    """Give pictures of the same name a number, in order."""
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
    # Every vendor's number has it, and neither text nor a moment does.
    return hasattr(value, "__float__") and not isinstance(value, bool)
