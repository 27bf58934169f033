"""Drafts: texts before their layout, still complete, so that secrets are redacted before anything is cut to fit."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

from slack_alert.core.content.limits import LONGEST, shorten
from slack_alert.core.content.markup import entities, visible
from slack_alert.core.content.pieces import Entries, Piece, Text
from slack_alert.core.content.tables import MAX_CELL, MAX_VALUE, key_values, table
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.redaction.redaction import MARK, Redaction

Layout = Literal["text", "lines", "pairs", "table", "columns"]


class Draft(Text, frozen=True, kw_only=True, tag="draft"):
    """A text before its layout: canonical cells of any length; `text` is empty.

    It is a `Text`, because it takes the same way from the function to the layout.
    """

    layout: Layout
    #: Rows of one cell for a text and for lines, of two for pairs; the first row of a table is its head, columns have
    #: none.
    rows: Sequence[Sequence[str]]
    #: Number of all rows of a table, if `rows` has only the first ones.
    count: int = 0
    #: Indexes of a table's columns that hold numbers.
    right: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """The approximate length of the laid out text, in which long cells of a table are cut."""
        most = {"pairs": MAX_VALUE, "table": MAX_CELL, "columns": MAX_CELL}.get(self.layout, sys.maxsize)
        return sum(min(len(cell), most) for row in self.rows for cell in row)


def lay_out(drafts: Sequence[Piece], redaction: Redaction) -> tuple[Piece, ...]:
    """Return pieces with their drafts laid out and redacted; adjacent texts are joined, blank ones left out."""
    if len(drafts) == 1 and isinstance(drafts[0], Draft):
        only = _lay_out_draft(drafts[0], redaction)
        return () if only is None else (only,)
    joined: list[Piece] = []
    for draft in drafts:
        piece = _lay_out_draft(draft, redaction) if isinstance(draft, Draft) else draft
        before = joined[-1] if joined else None
        if isinstance(piece, Text) and isinstance(before, Text):
            joined[-1] = Text(f"{before.text}\n{piece.text}", (*before.entries, *piece.entries))
        elif piece is not None:
            joined.append(piece)
    return tuple(joined)


def _lay_out_draft(draft: Draft, redaction: Redaction) -> Text | None:
    if draft.layout == "text":  # The most frequent case, first.
        [[cell]] = draft.rows
        text = redaction(cell) if len(cell) <= LONGEST else redaction(shorten(cell, redaction))
        return Text(without_seams(text, redaction)) if text and not text.isspace() else None
    rows = list(_cleaned(draft, redaction))
    entries: Entries
    if draft.layout == "pairs":
        pairs = [(row[0], row[1]) for row in rows]
        text, entries = key_values(pairs), tuple((key, f"{key}: {value}") for key, value in pairs)
    elif draft.layout in {"table", "columns"}:
        head, body = (rows[0], rows[1:]) if draft.layout == "table" else (None, rows)
        text = table(head, body, count=draft.count, right=draft.right)
        entries = tuple((row[0], "  ".join(row)) for row in body if row)
    else:
        lines = [row[0] for row in rows]
        text = "\n".join(lines)
        entries = tuple((line, line) for line in lines) if draft.layout == "lines" else ()
    return Text(without_seams(text, redaction), entries) if text and not text.isspace() else None


def without_seams(text: str, redaction: Redaction) -> str:
    """Return canonical text, redacted already, without secrets that only appear once links are shown as labels."""
    if "<" not in text:
        return text
    text = _HIDDEN_LINK.sub(lambda found: found.group(1) or MARK, text)
    shown = visible(text)
    cleaned = redaction(shown)
    return text if cleaned == shown else entities(cleaned)


#: A link whose address was redacted.
_HIDDEN_LINK = lazy_pattern(rf"<{re.escape(MARK)}(?:\|([^<>\n]*))?>")


def _cleaned(draft: Draft, redaction: Redaction) -> Iterator[list[str]]:
    cells = [cell for row in draft.rows for cell in row]
    if any(len(cell) > LONGEST for cell in cells):
        cells = [shorten(cell, redaction) for cell in cells]
    clean = redaction.redact_lines if all(len(row) == 1 for row in draft.rows) else redaction.redact_all
    cleaned = iter(clean(cells))
    for row in draft.rows:
        yield [next(cleaned) for _ in row]
