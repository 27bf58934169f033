"""Tables for people: aligned by display width, coloured and cut to width on a terminal only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from itertools import zip_longest
from typing import Literal, TextIO

import click

from slack_alert.channels.console import has_colour
from slack_alert.cli.output.streams import all_redacted, redacted
from slack_alert.core.content.tables import cut, display_width
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted, format_stamp

Style = Literal["", "dim", "bold", "green", "yellow", "red"]
#: The least width to which a column is cut.
NARROWEST = 12
#: The width to which a text is cut where there is no terminal.
PIPED_WIDTH = 160
_GAP = "  "
# Control characters, and characters that change the reading direction.
_STEERING = lazy_pattern(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_STYLES: dict[Verdict, Style] = {
    Verdict.SAID: "green",
    Verdict.ERROR: "red",
    Verdict.TIMED_OUT: "red",
    Verdict.INTERRUPTED: "red",
    Verdict.DENIED: "red",
    Verdict.MISSED: "yellow",
    Verdict.OVERLAPPED: "yellow",
    Verdict.CANCELED: "yellow",
    Verdict.PAUSED: "yellow",
    Verdict.MUTED: "yellow",
}


class Cell(Struct, frozen=True):
    """A text with a style."""

    text: str
    style: Style = ""


def table(head: Sequence[str], rows: Iterable[Sequence[str | Cell]], out: TextIO, *, flexible: Sequence[int]) -> str:
    """Return rows aligned under their headings; on a terminal the `flexible` columns are cut, in this order."""
    every = [[Cell(name, "dim") for name in head], *_shown(rows)]
    widths = [max(display_width(cell.text) for cell in column) for column in zip(*every, strict=True)]
    _fit(widths, _columns(out), flexible)
    is_coloured = has_colour(out)
    return "\n".join(_line(row, widths, is_coloured=is_coloured) for row in every)


def shortened(text: str, out: TextIO) -> str:
    """Return the text cut to a fixed width; on a terminal unchanged, because the table fits it there."""
    return text if out.isatty() else cut(redacted(text), PIPED_WIDTH)


def history_table(
    records: Iterable[Record], zone: tzinfo, out: TextIO, *, notes: Iterable[str] = (), at: str = "AT"
) -> str:
    """Return a table of records; a note is about the delivery of a record's messages."""
    rows = [
        (
            Cell(format_stamp(record.slot, zone), "dim"),
            record.binding,
            Cell(str(record.verdict), _STYLES.get(record.verdict, "dim")),
            shortened(" | ".join(part for part in (note, _record_text(record, zone)) if part), out),
        )
        for record, note in zip_longest(records, notes, fillvalue="")
        if isinstance(record, Record)
    ]
    return table((at, "JOB", "VERDICT", "TEXT"), rows, out, flexible=(3, 1)) if rows else "No runs."


def paint(text: str, style: Style, out: TextIO) -> str:
    """Return the text coloured, if colours can be shown."""
    return _painted(text, style) if has_colour(out) else text


def _record_text(record: Record, zone: tzinfo) -> str:
    parts = [f"asked by {record.asked_by}"] if record.asked_by else []
    parts += [line.strip() for line in record.text.splitlines()] or [_last_line(record.error)]
    if record.count > 1 and record.until:
        parts.append(f"{counted(record.count, 'slot')}, until {format_stamp(record.until, zone)}")
    return " | ".join(part for part in parts if part)


def _last_line(traceback: str | None) -> str:
    return traceback.strip().rpartition("\n")[2] if traceback else ""


def _shown(rows: Iterable[Sequence[str | Cell]]) -> list[list[Cell]]:
    """Return rows as they may be shown: without secrets, each cell a line."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    texts = iter(all_redacted([" ".join(cell.text.split()) for row in cells for cell in row]))
    return [[Cell(_STEERING.sub("\ufffd", next(texts)), cell.style) for cell in row] for row in cells]


def _fit(widths: list[int], columns: int | None, flexible: Sequence[int]) -> None:
    if columns is None:
        return
    for index in flexible:
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - columns
        if excess > 0:
            widths[index] = max(min(NARROWEST, widths[index]), widths[index] - excess)


def _line(row: Sequence[Cell], widths: Sequence[int], *, is_coloured: bool) -> str:
    shown = []
    for cell, width in zip(row, widths, strict=True):
        text = cut(cell.text, width)
        padding = " " * (width - display_width(text))
        shown.append((_painted(text, cell.style) if is_coloured else text) + padding)
    return _GAP.join(shown).rstrip()


def _painted(text: str, style: Style) -> str:
    if style in ("dim", "bold"):
        return click.style(text, dim=style == "dim" or None, bold=style == "bold" or None)
    return click.style(text, fg=style) if style else text


def _columns(out: TextIO) -> int | None:
    """Return the terminal's width, or None for a pipe or a file."""
    if not out.isatty():
        return None
    try:
        return os.get_terminal_size(out.fileno()).columns or None
    except (OSError, ValueError):
        return None
