"""Send messages that a person wrote or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from slack_alert.core.content.render import Piece, deliverable
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Notice
from slack_alert.core.model.request import SendMessage
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.recording.redacting import redacted_piece
from slack_alert.operations.requester import Requester


def make_messages(kind: str, piece: Piece, to: Address, redaction: Redaction, *, name: str) -> list[Message]:
    """Return the messages of a piece; their keys begin with `kind`, and `name` is for the file of a long one."""
    unique = uuid4().hex
    # Redacted before it is split: a secret cut in two would not be found.
    parts = deliverable(redacted_piece(piece, redaction), name=name)
    origins = [Notice(kind, unique, number) for number in range(len(parts))]
    return [Message(origin.key, to, part, origin) for origin, part in zip(origins, parts, strict=True)]


def send(messages: Sequence[Message], requester: Requester) -> bool:
    """Send messages; return whether a running program takes the last one."""
    is_taken = True
    for message in messages:
        is_taken = requester.ask(SendMessage.of(message))
    return is_taken
