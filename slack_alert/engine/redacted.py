"""Books into which no secret is written: not in a message, not in a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from slack_alert.core.model import Message, Record
from slack_alert.core.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.core.values import Blocks, Piece, Text
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Books


class RedactedBooks:
    """Takes the secrets out of what is said and recorded, then passes it on."""

    def __init__(self, books: Books, redaction: Redaction) -> None:
        self._books = books
        self._redaction = redaction

    def put(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Have it committed soon, in order."""
        batch.messages = [redacted_message(message, self._redaction) for message in batch.messages]
        batch.records = [redacted_record(record, self._redaction) for record in batch.records]
        self._books.put(batch, then)

    def note(self, record: Record) -> None:
        """Have a quiet line of history written within a second."""
        self._books.note(redacted_record(record, self._redaction) if record.printed else record)


def redacted_message(message: Message, redaction: Redaction) -> Message:
    """Give the message without secrets; the bytes of a file are the plugin's own."""
    piece = redacted_piece(message.piece, redaction)
    return message if piece is message.piece else replace(message, piece=piece)


def redacted_record(record: Record, redaction: Redaction) -> Record:
    """Give the line of history without secrets."""
    written = record.text, record.error, record.printed
    text, error, printed = (redaction(each) if each else each for each in written)
    if (text, error, printed) == written:
        return record
    return record._replace(text=text or "", error=error, printed=printed)


def redacted_piece(piece: Piece, redaction: Redaction) -> Piece:
    """Give the piece without secrets; the bytes of a file are the plugin's own."""
    if isinstance(piece, Text):
        return _redacted_text(piece, redaction)
    if isinstance(piece, Blocks):
        return Blocks(cast("Mapping[str, object]", _redacted_json(piece.payload, redaction)))
    return replace(piece, name=redaction(piece.name), title=redaction(piece.title), comment=redaction(piece.comment))


def _redacted_text(piece: Text, redaction: Redaction) -> Text:
    text = redaction(piece.text)
    # The text may be cut before an entry that holds a secret.
    entries = tuple((redaction(key), redaction(entry)) for key, entry in piece.entries)
    return piece if text == piece.text and entries == piece.entries else Text(text, entries)


def _redacted_json(node: Any, redaction: Redaction) -> object:
    if isinstance(node, str):
        return redaction(node)
    if isinstance(node, Mapping):
        return {key: _redacted_json(child, redaction) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_redacted_json(child, redaction) for child in node]
    return node
