"""Texts that the product itself adds to messages: error cards, notices of pauses, times of slots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.pieces import LIMIT, Blocks, Piece, Text, Upload, deliverable, split
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct, replace

#: Slack's limit for a message.
MAX_BLOCKS = 50
MAX_ERROR = 500


class Title(Struct, frozen=True):
    """The beginning of a notice about a job: `:rotating_light: *db.lag* failed`, on a terminal `✗ db.lag failed`."""

    emoji: str
    sign: str
    verb: str

    def in_chat(self, name: str) -> str:
        """Return it with the job's canonical name."""
        return f"{self.emoji} *{_harmless(name)}* {self.verb}"

    def on_terminal(self, name: str) -> str:
        """Return it as a terminal shows it."""
        return f"{self.sign} {_harmless(name)} {self.verb}"


FAILED = Title(":rotating_light:", "✗", "failed")
RECOVERED = Title(":white_check_mark:", "✓", "recovered")


def error_card(name: str, kind: str, message: str, place: str, *, mark: Markup) -> Text:
    """Return an exception in two lines: job, type and message; place. The run record has the whole traceback."""
    said = _harmless(mark.escape(" ".join(message.split())))
    if len(said) > MAX_ERROR:
        said = split(said, MAX_ERROR)[0].rstrip() + "…"
    what = ": ".join(part for part in (_harmless(mark.escape(kind)), said) if part)
    where = f"\n`{_harmless(mark.escape(place))}`" if place else ""
    return Text(f"{FAILED.in_chat(mark.escape(name))}: {what}{where}")


def pause_notice(count: int, pause: timedelta, until_local: str, *, word: str = "alert", verb: str = "paused") -> str:
    """Return the notice that a job is paused: `3 alerts: paused for 60 min, until 14:32`."""
    minutes = f"{pause.total_seconds() / 60:.2f}".rstrip("0").rstrip(".")
    return f"{count} {word}{'' if count == 1 else 's'}: {verb} for {minutes} min, until {until_local}"


def with_notice(pieces: Sequence[Piece], notice: str, *, name: str = "message") -> tuple[Piece, ...]:
    """Return the pieces with a notice as the last line of the last one, which is made deliverable for that.

    A file has it in its comment, blocks in one more block; it becomes a separate text only if blocks have no room left.
    """
    if not pieces:
        return (Text(notice),)
    *before, last = (*pieces[:-1], *deliverable(pieces[-1], name=name))
    return (*before, *_noticed(last, notice))


def with_slot_time(text: str, slot_local: str) -> str:
    """Return a late message with the time of its slot in front: `[09:30] text`; a table begins on the next line."""
    return f"[{slot_local}]{_NEW_LINE if text.startswith('```') else ' '}{text}"


def on_terminal(text: str, job: str) -> str:
    """Return a job's canonical text as a terminal and the history show it: without what only a chat displays."""
    shown = plain(text)
    for title in (FAILED, RECOVERED):
        if title.emoji in shown:
            shown = f"\n{shown}".replace(f"\n{title.in_chat(job)}", f"\n{title.on_terminal(job)}")[1:]
    return _FENCE.sub("", shown) if "```" in shown else shown


_FENCE = lazy_pattern(r"^```(?:\n|$)|\n```$", re.MULTILINE)
_NEW_LINE = "\n"
# Slack has no escape for these characters, and an exception's message is not to be formatted: similar letters instead.
_LOOKALIKES = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼"})


def _harmless(text: str) -> str:
    return text.translate(_LOOKALIKES)


def _noticed(piece: Piece, notice: str) -> tuple[Piece, ...]:
    if isinstance(piece, Text):
        # Each part leaves room for the notice, so that it is never in a message alone.
        *parts, last = split(piece.text.rstrip(), LIMIT - len(notice) - 1)
        return tuple(Text(part) for part in (*parts, f"{last.rstrip()}\n{notice}"))
    if isinstance(piece, Upload):
        return (replace(piece, comment=f"{piece.comment}\n{notice}" if piece.comment else notice),)
    payload = _noticed_payload(piece.payload, notice)
    return (Blocks(payload),) if payload else (piece, Text(notice))


def _noticed_payload(payload: Mapping[str, object], notice: str) -> dict[str, object] | None:
    """Return the payload with the notice, or None if Slack's limits leave no room for it."""
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
