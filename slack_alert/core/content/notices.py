"""What the product itself says around a value: that an error happened, that a pause begins, when the slot was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.pieces import LIMIT, Blocks, Piece, Text, Upload, deliverable, split
from slack_alert.core.structs import replace

#: Slack's most for one message.
MAX_BLOCKS = 50
MAX_ERROR = 500
#: How the telling of an exception begins.
FAILED = ":rotating_light: *"


def error_card(name: str, kind: str, message: str, place: str, *, mark: Markup) -> Text:
    """Tell an exception in two lines: job, type and message; place. The whole traceback is in the run record."""
    said = _harmless(mark.escape(" ".join(message.split())))
    if len(said) > MAX_ERROR:
        said = split(said, MAX_ERROR)[0].rstrip() + "…"
    what = ": ".join(part for part in (_harmless(mark.escape(kind)), said) if part)
    where = f"\n`{_harmless(mark.escape(place))}`" if place else ""
    return Text(f"{FAILED}{_harmless(mark.escape(name))}* failed: {what}{where}")


def pause_notice(count: int, pause: timedelta, until_local: str, *, word: str = "alert", verb: str = "paused") -> str:
    """Say that a job rests: `3 alerts: paused for 60 min, until 14:32`."""
    minutes = f"{pause.total_seconds() / 60:.2f}".rstrip("0").rstrip(".")
    return f"{count} {word}{'' if count == 1 else 's'}: {verb} for {minutes} min, until {until_local}"


def with_notice(pieces: Sequence[Piece], notice: str, *, name: str = "message") -> tuple[Piece, ...]:
    """Put a notice on its own last line of the last piece, which is made deliverable for that.

    A file carries it in its comment, blocks in one more block; it is a text of its own only where Slack's form has no
    room left.
    """
    if not pieces:
        return (Text(notice),)
    *before, last = (*pieces[:-1], *deliverable(pieces[-1], name=name))
    return (*before, *_noticed(last, notice))


def with_slot_time(text: str, slot_local: str) -> str:
    """Begin a late message with the time of its slot: `[09:30] text`; a table begins on the next line."""
    return f"[{slot_local}]{_NEW_LINE if text.startswith('```') else ' '}{text}"


def on_terminal(text: str) -> str:
    """Return canonical text as a terminal and the history show it: without what only a chat turns into looks."""
    shown = plain(text)
    if ":" in shown:
        shown = _CLOSED.sub(r"✓ \1 recovered", _CARD.sub(r"✗ \1 failed\2", shown))
    return _FENCE.sub("", shown) if "```" in shown else shown


#: The card of `error_card`, up to its place.
_CARD = re.compile(r"^:rotating_light: \*(.+?)\* failed(.*)$", re.MULTILINE)
#: What tells the end of an incident.
_CLOSED = re.compile(r"^:white_check_mark: \*(.+?)\* recovered", re.MULTILINE)
_FENCE = re.compile(r"^```(?:\n|$)|\n```$", re.MULTILINE)
_NEW_LINE = "\n"
# Slack has no escape for these, and an exception's words are nobody's formatting: letters that look alike.
_LOOKALIKES = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼"})


def _harmless(text: str) -> str:
    return text.translate(_LOOKALIKES)


def _noticed(piece: Piece, notice: str) -> tuple[Piece, ...]:
    if isinstance(piece, Text):
        # Room is kept in each part, so that the notice never stands in a message alone.
        *parts, last = split(piece.text.rstrip(), LIMIT - len(notice) - 1)
        return tuple(Text(part) for part in (*parts, f"{last.rstrip()}\n{notice}"))
    if isinstance(piece, Upload):
        return (replace(piece, comment=f"{piece.comment}\n{notice}" if piece.comment else notice),)
    payload = _noticed_payload(piece.payload, notice)
    return (Blocks(payload),) if payload else (piece, Text(notice))


def _noticed_payload(payload: Mapping[str, object], notice: str) -> dict[str, object] | None:
    """Return the payload with the notice, or nothing where Slack's limits leave no room for it."""
    noticed = dict(payload)
    said, blocks = payload.get("text"), payload.get("blocks")
    if isinstance(said, str) and said.strip():
        noticed["text"] = f"{said.rstrip()}\n{notice}"
    if "blocks" not in payload:
        return noticed if len(str(noticed.get("text"))) <= LIMIT else None
    if not isinstance(blocks, list) or len(blocks) >= MAX_BLOCKS:
        return None
    noticed["blocks"] = [*blocks, {"type": "context", "elements": [{"type": "mrkdwn", "text": notice}]}]
    return noticed
