"""Builds requests to the running program, serialized for its inbox."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime

from slack_alert.core.content.render import Blocks, Piece, Text
from slack_alert.core.events import Event
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record
from slack_alert.core.structs import asdict
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.ports import Request


def pause(job: str, until: datetime | None, at: datetime, *, by: str = "") -> Request:
    """Return the request to pause a job, for good where `until` is None."""
    return Request("pause", {"job": job, "until": _iso(until), "by": by}, at)


def resume(job: str, at: datetime) -> Request:
    """Return the request to resume a job."""
    return Request("resume", {"job": job}, at)


def mute(job: str, until: datetime | None, at: datetime, *, by: str) -> Request:
    """Return the request to mute a job (`*`: all jobs) until an instant, or to end its mute (None)."""
    return Request("mute", {"job": job, "until": _iso(until), "by": by}, at)


def acknowledge(job: str, at: datetime, *, by: str) -> Request:
    """Return the request to acknowledge a job's incident: no repeats and reminders until it is over."""
    return Request("ack", {"job": job, "by": by}, at)


def send(message: Message, at: datetime) -> Request:
    """Return the request to post a message."""
    return Request("send", _packed(message), at)


def emit(event: Event) -> Request:
    """Return the request to handle an event."""
    return Request("emit", {"name": event.name, "fields": dict(event.fields)}, event.at)


def outbox(verb: str, delivery: int, at: datetime) -> Request:
    """Return the request to send a delivery again (`retry`) or to remove it (`drop`)."""
    return Request(verb, {"id": delivery}, at)


def keep_value(entry: StoredValue, at: datetime) -> Request:
    """Return the request to store a value in a pack's key-value store."""
    payload = {"pack": entry.pack, "key": entry.key, "value": entry.value, "expires": _iso(entry.expires)}
    return Request("keep", payload, at)


def record_run(record: Record, messages: tuple[Message, ...], at: datetime) -> Request:
    """Return the request to record a run that was started elsewhere, and to post its messages."""
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
    origin, severity = asdict(message.origin), message.severity.value
    return {"key": message.key, **to, "piece": _packed_piece(message.piece), "origin": origin, "severity": severity}


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
