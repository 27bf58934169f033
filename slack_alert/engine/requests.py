"""What other processes ask of the owner of the database, as batches to commit."""

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_alert.core.events import Event
from slack_alert.core.model import Address, Message, Record, Verdict
from slack_alert.core.policy import Hold, State, rested
from slack_alert.core.quiet import Mute
from slack_alert.core.values import Blocks, Piece, Text, Upload
from slack_alert.engine.executions import Judge, settle_execution
from slack_alert.engine.mutes import mute_entry
from slack_alert.engine.ports import Batch, Entry, Request

log = logging.getLogger(__name__)

Change = Callable[[State], State]
#: Remembers something else of a job, and gives what is remembered then.
Restate = Callable[[str, Change], State]
#: By the time this is over, a mute that was taken counts for every slot.
_TAKING = timedelta(seconds=0.1)


def carry_out(
    request: Request,
    next_id: Callable[[], int],
    restate: Restate = lambda _, change: change(State()),
    judge: Judge | None = None,
    *,
    now: datetime | None = None,
) -> Batch:
    """Turn a request into what it changes; one of another version, unknown or unreadable here, changes nothing.

    With `now`, when it is taken beside runs that go on, what binds slots begins and ends then and not when it was
    asked for: slots in between have passed under what was known by then.
    """
    batch = Batch(taken=request.id, at=request.at)
    change = _CHANGES.get(request.kind, _refuse)
    try:
        if request.kind == "exec" and judge is not None:
            settle_execution(batch, request, next_id(), restate, judge)
            return batch
        change(batch, request if now is None else _as_taken(request, now), next_id, restate)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("request refused", extra={"kind": request.kind, "request": request.id, "reason": repr(error)})
        return Batch(taken=request.id, at=request.at)
    return batch


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


def kept(entry: Entry, at: datetime) -> Request:
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


_Payload = Mapping[str, Any]  # Any: JSON that this module wrote


def _pause(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    batch.holds[payload["job"]] = Hold(_instant(payload["until"]), payload.get("by", ""))


def _resume(batch: Batch, request: Request, _: Callable[[], int], restate: Restate) -> None:
    payload: _Payload = request.payload
    batch.holds[payload["job"]] = None
    batch.states[payload["job"]] = restate(payload["job"], rested)


def _mute(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    since, until = request.at, _instant(payload["until"])
    # One that is over before it was taken has no length.
    kept = Mute(payload["job"], min(since, until or since), until or since, payload["by"])
    batch.entries.append(mute_entry(kept))


def _acknowledge(batch: Batch, request: Request, _: Callable[[], int], restate: Restate) -> None:
    payload: _Payload = request.payload
    state = restate(payload["job"], partial(acknowledged, by=payload["by"], at=request.at))
    if state.incident is not None:  # It may have ended meanwhile.
        batch.states[payload["job"]] = state


def _send(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    batch.messages.append(_unpacked(request.payload, None))


def _emit(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    batch.events.append(Event(payload["name"], request.at, payload["fields"]))


def _retry(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    batch.retried.append(payload["id"])


def _drop(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    batch.dropped.append(payload["id"])


def _record(batch: Batch, request: Request, next_id: Callable[[], int], _: Restate) -> None:
    payload: _Payload = request.payload
    run = next_id()
    slot = _instant(payload["slot"])
    assert slot is not None
    seconds = payload["seconds"]
    batch.records.append(
        Record(
            run,
            payload["job"],
            slot,
            Verdict(payload["verdict"]),
            started=_instant(payload["started"]),
            duration=None if seconds is None else timedelta(seconds=seconds),
            text=payload["text"],
            to=payload["to"],
            error=payload["error"],
            printed=payload["printed"],
            asked_by=payload.get("asked_by"),
            numbers=payload.get("numbers"),
        )
    )
    batch.messages.extend(_unpacked(message, run) for message in payload["messages"])


def _keep(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    payload: _Payload = request.payload
    batch.entries.append(Entry(payload["pack"], payload["key"], payload["value"], _instant(payload["expires"])))


def _as_taken(request: Request, now: datetime) -> Request:
    return replace(request, at=max(request.at, now + _TAKING)) if request.kind == "mute" else request


def _refuse(_: Batch, request: Request, __: Callable[[], int], ___: Restate) -> None:
    raise ValueError(f"there is no request {request.kind!r} in this version")


_CHANGES: dict[str, Callable[[Batch, Request, Callable[[], int], Restate], None]] = {
    "pause": _pause,
    "resume": _resume,
    "mute": _mute,
    "ack": _acknowledge,
    "send": _send,
    "emit": _emit,
    "retry": _retry,
    "drop": _drop,
    "keep": _keep,
    "record": _record,
}


def acknowledged(state: State, by: str, at: datetime) -> State:
    """Remember who took care of the incident that goes on."""
    if state.incident is None or not state.incident.goes_on:
        return state
    return replace(state, incident=replace(state.incident, acknowledged_by=by, acknowledged_at=at))


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


def _unpacked(payload: _Payload, run: int | None) -> Message:
    to = Address(payload["channel"], payload["conversation"])
    return Message(payload["key"], to, _unpacked_piece(payload["piece"]), run=run)


def _unpacked_piece(packed: _Payload) -> Piece:
    if "text" in packed:
        return Text(packed["text"])
    if "payload" in packed:
        return Blocks(packed["payload"])
    return Upload(packed["name"], b64decode(packed["content"]), packed["title"], packed["comment"])


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
