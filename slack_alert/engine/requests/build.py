"""Requests to the running program, packed for its inbox."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime

from slack_alert.core.content.render import Blocks, Piece, Text
from slack_alert.core.events import Event
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.ports import Request


def pause(job: str, until: datetime | None, at: datetime, *, by: str = "") -> Request:
    """Ask that a job rests, for good where `until` is None."""
    return Request("pause", {"job": job, "until": _iso(until), "by": by}, at)


def resume(job: str, at: datetime) -> Request:
    """Ask that a job runs again."""
    return Request("resume", {"job": job}, at)


def mute(job: str, until: datetime | None, at: datetime, *, by: str) -> Request:
    """Ask that a job (`*`: every one) runs and says nothing until then, or (None) that it speaks again."""
    return Request("mute", {"job": job, "until": _iso(until), "by": by}, at)


def acknowledge(job: str, at: datetime, *, by: str) -> Request:
    """Ask that an incident's repeats and reminders stop until it is over."""
    return Request("ack", {"job": job, "by": by}, at)


def send(message: Message, at: datetime) -> Request:
    """Ask that a message is said."""
    return Request("send", _packed(message), at)


def emit(event: Event) -> Request:
    """Ask that what was noticed is answered."""
    return Request("emit", {"name": event.name, "fields": dict(event.fields)}, event.at)


def outbox(verb: str, delivery: int, at: datetime) -> Request:
    """Ask that a delivery is sent again (`retry`) or taken out (`drop`)."""
    return Request(verb, {"id": delivery}, at)


def kept(entry: StoredValue, at: datetime) -> Request:
    """Ask that a value of a pack's key-value store is kept."""
    payload = {"pack": entry.pack, "key": entry.key, "value": entry.value, "expires": _iso(entry.expires)}
    return Request("keep", payload, at)


def recorded(record: Record, messages: tuple[Message, ...], at: datetime) -> Request:
    """Ask that a run somebody started elsewhere is written down, and what it says is said."""
    payload = {
        "job": record.binding,
        "slot": record.slot.isoformat(),
        "verdict": record.verdict.value,
        "started": _iso(record.started),
        "seconds": record.duration.total_seconds() if record.duration is not None else None,
        "text": record.text,
        "to": record.to,
        "error": record.error,
        "printed": record.printed,
        "asked_by": record.asked_by,
        "numbers": record.numbers,
        "messages": [_packed(message) for message in messages],
    }
    return Request("record", payload, at)


def _packed(message: Message) -> dict[str, object]:
    to = {"channel": message.to.channel, "conversation": message.to.conversation}
    return {"key": message.key, **to, "piece": _packed_piece(message.piece)}


def _packed_piece(piece: Piece) -> dict[str, object]:
    if isinstance(piece, Text):
        return {"text": piece.text}
    if isinstance(piece, Blocks):
        return {"payload": dict(piece.payload)}
    assert isinstance(piece.content, bytes), "a file is read where the run ends"
    content = b64encode(piece.content).decode("ascii")
    return {"name": piece.name, "content": content, "title": piece.title, "comment": piece.comment}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
