"""What is said before it is laid out: whole, so that secrets are taken out before anything is cut to fit."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

from slack_alert.core.content.limits import LONGEST, shorten
from slack_alert.core.content.markup import entities, visible
from slack_alert.core.content.pieces import Entries, Piece, Text
from slack_alert.core.content.tables import MAX_CELL, MAX_VALUE, key_values, table
from slack_alert.core.redaction.redaction import MARK, Redaction

Layout = Literal["text", "lines", "pairs", "table", "columns"]


class Draft(Text, frozen=True, kw_only=True):
    """A text that is not laid out yet: canonical cells of any length; `text` is empty.

    It is a `Text`, because it goes wherever one goes on its way from the function to whoever lays it out.
    """

    layout: Layout
    #: One cell a row for a text and for lines, two for pairs; of a table the first row is its head, columns have none.
    rows: Sequence[Sequence[str]]
    #: How many rows a table has, where only the first ones are here.
    count: int = 0
    #: The columns of a table that hold numbers.
    right: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How long it will be, about: long cells of a table are cut."""
        most = {"pairs": MAX_VALUE, "table": MAX_CELL, "columns": MAX_CELL}.get(self.layout, sys.maxsize)
        return sum(min(len(cell), most) for row in self.rows for cell in row)


def lay_out(drafts: Sequence[Piece], redaction: Redaction) -> tuple[Piece, ...]:
    """Return the pieces that drafts become, neighbouring texts as one; what holds nothing to read is left out."""
    if len(drafts) == 1 and isinstance(drafts[0], Draft):
        only = _laid_out(drafts[0], redaction)
        return () if only is None else (only,)
    joined: list[Piece] = []
    for draft in drafts:
        piece = _laid_out(draft, redaction) if isinstance(draft, Draft) else draft
        before = joined[-1] if joined else None
        if isinstance(piece, Text) and isinstance(before, Text):
            joined[-1] = Text(f"{before.text}\n{piece.text}", (*before.entries, *piece.entries))
        elif piece is not None:
            joined.append(piece)
    return tuple(joined)


def _laid_out(draft: Draft, redaction: Redaction) -> Text | None:
    if draft.layout == "text":  # As most are.
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
    """Return canonical text, free of secrets already, without one that shows where links are read as their labels."""
    if "<" not in text:
        return text
    text = _HIDDEN_LINK.sub(lambda found: found.group(1) or MARK, text)
    shown = visible(text)
    cleaned = redaction(shown)
    return text if cleaned == shown else entities(cleaned)


#: A link that leads nowhere any more.
_HIDDEN_LINK = re.compile(rf"<{re.escape(MARK)}(?:\|([^<>\n]*))?>")


def _cleaned(draft: Draft, redaction: Redaction) -> Iterator[list[str]]:
    cells = [cell for row in draft.rows for cell in row]
    if any(len(cell) > LONGEST for cell in cells):
        cells = [shorten(cell, redaction) for cell in cells]
    cleaned = iter(redaction.each(cells))
    for row in draft.rows:
        yield [next(cleaned) for _ in row]
