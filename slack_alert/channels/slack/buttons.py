"""Render a message with buttons as Slack's blocks, where it fits into them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

from slack_alert.core.commands.words import quote_word
from slack_alert.core.content.pieces import Blocks, Piece, split
from slack_alert.core.model.message import Button, Message
from slack_alert.core.patterns import lazy_pattern

#: Limits of Slack's, in characters and blocks: https://docs.slack.dev/reference/block-kit/blocks
MAX_SECTION, MAX_VALUE, MAX_BLOCKS = 3_000, 2_000, 50

Block = dict[str, object]


def blocks_with_buttons(message: Message, text: str) -> list[Block] | None:
    """Return blocks that show the text, or the message's own blocks, and its buttons; None where they do not fit."""
    name = blake2b(message.key.encode(errors="replace"), digest_size=12).hexdigest()
    piece = message.piece
    is_text = not isinstance(piece, Blocks) or set(piece.payload) == {"text"}
    content = _sections(text, name) if is_text else _own_blocks(piece)
    if not content or len(content) >= MAX_BLOCKS or any(len(value_of(each)) > MAX_VALUE for each in message.buttons):
        return None
    return [*content, {"type": "actions", "block_id": f"{name}-buttons", "elements": _elements(message.buttons)}]


def value_of(button: Button) -> str:
    """Return what follows the command in the line that the button asks for."""
    return f"{quote_word(button.about)} {button.rest}".rstrip()


def _own_blocks(piece: Piece) -> list[Block]:
    blocks = piece.payload.get("blocks") if isinstance(piece, Blocks) else None
    return list(blocks) if isinstance(blocks, list | tuple) else []


def _sections(text: str, name: str) -> list[Block]:
    """Return the text as sections, or none where it cannot be cut without harm; changed blocks need new ids."""
    linked = _with_links(text)
    if any(len(found.group()) > MAX_SECTION - _FENCES for found in _ATOM.finditer(linked)):
        return []
    return [
        # Verbatim, as in a text: else Slack would call people whose names merely occur.
        {"type": "section", "block_id": f"{name}-{n}", "text": {"type": "mrkdwn", "text": part, "verbatim": True}}
        for n, part in enumerate(split(linked, MAX_SECTION))
        if part.strip()
    ]


def _elements(buttons: Sequence[Button]) -> list[Block]:
    return [
        {
            "type": "button",
            "action_id": button.action,
            "text": {"type": "plain_text", "text": button.label},
            "value": value_of(button),
        }
        for button in buttons
    ]


#: In characters: room for the fences by which a part is closed and the next one opened.
_FENCES = 20
_ATOM = lazy_pattern(r"<[^<>\n]*>")
#: Code and markup, in which an address stays as it is, or a bare address.
_ADDRESS = lazy_pattern(r"```.*?(?:```|\Z)|`[^`\n]*`|<[^<>\n]*>|(?<![\w/])(https?://[^\s<>|`\"]*[\w/=#-])", re.DOTALL)


def _with_links(text: str) -> str:
    """Return the text with its bare addresses as links: Slack makes links in texts, but not in verbatim blocks."""
    return _ADDRESS.sub(lambda found: f"<{found[1]}>" if found[1] else found[0], text)
