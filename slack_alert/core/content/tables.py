"""Align cells as a fenced block in a fixed-width font; `render` decides what becomes a table."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from slack_alert.core.content.markup import entities, visible
from slack_alert.core.patterns import lazy_pattern

MAX_ROWS = 10_000
MAX_COLUMNS = 30
#: In display columns; a cell of a key-value table stands last in its line and may be longer.
MAX_CELL = 60
MAX_VALUE = 500


def key_values(rows: Sequence[tuple[str, str]]) -> str:
    """Return canonical keys and values as a block, one pair a line."""
    kept = [(_cell(key, MAX_CELL), _cell(value, MAX_VALUE)) for key, value in rows[:MAX_ROWS]]
    return _fenced([*_aligned(kept, right=set()), *_left_out(len(rows) - MAX_ROWS, "rows")])


def table(
    head: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    *,
    count: int | None = None,
    right: Iterable[int] = (),
) -> str:
    """Return canonical cells as a block, under their headings if there are any.

    The columns in `right` hold numbers. `count` is the number of all rows, if only the first ones are given.
    """
    left = (len(rows) if count is None else count) - MAX_ROWS
    headed = rows[:MAX_ROWS] if head is None else (head, *rows[:MAX_ROWS])
    kept = [[_cell(cell, MAX_CELL) for cell in row[:MAX_COLUMNS]] for row in headed]
    lines = _aligned(kept, right=set(right))
    if head is None:
        columns = _left_out(len(rows[0]) - MAX_COLUMNS, "columns")
        return _fenced([*lines, *_left_out(left, "rows"), *columns])
    rule = "  ".join("-" * width for width in _widths(kept))
    names = ", ".join(_cell(name, MAX_CELL) for name in head[MAX_COLUMNS:])
    columns = _left_out(len(head) - MAX_COLUMNS, "columns", f": {names}")
    return _fenced([lines[0], rule, *lines[1:], *_left_out(left, "rows"), *columns])


def display_width(text: str) -> int:
    """Return the width in columns: two for East Asian wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, width: int) -> str:
    """Return plain text in at most `width` columns, with an ellipsis if it was cut."""
    if display_width(text) <= width:
        return text
    used, kept = 1, 0
    for character in text:
        used += _columns(character)
        if used > width:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


_BACKTICKS = lazy_pattern("`(?=`)")


def _cell(text: str, width: int) -> str:
    """Return a cell in one line; links are removed from a cell that has to be cut, so that none is broken."""
    line = " ".join(text.split())
    shown = visible(line)
    return line if display_width(shown) <= width else entities(cut(shown, width))


def _aligned(rows: Sequence[Sequence[str]], *, right: set[int]) -> list[str]:
    widths = _widths(rows)
    return [
        "  ".join(_padded(cell, widths[at], right=at in right) for at, cell in enumerate(row)).rstrip() for row in rows
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(display_width(visible(cell)) for cell in column) for column in zip(*rows, strict=True)]


def _padded(cell: str, width: int, *, right: bool) -> str:
    space = " " * (width - display_width(visible(cell)))
    return space + cell if right else cell + space


def _left_out(count: int, what: str, names: str = "") -> list[str]:
    return [f"… {count} more {what if count > 1 else what[:-1]}{names}"] if count > 0 else []


def _fenced(lines: Iterable[str]) -> str:
    # A zero-width space between backticks: three in a row would end the fence.
    body = _BACKTICKS.sub("`\u200b", "\n".join(lines))
    return f"```\n{body}\n```"


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
