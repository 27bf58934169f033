"""Applies requests of other processes to the owner of the database: as batches to commit."""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from math import isfinite

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.events import Event
from slack_alert.core.excerpts import abridged
from slack_alert.core.model.address import Address
from slack_alert.core.model.former_messages import former_origin
from slack_alert.core.model.message import Message, Notice, Origin, RunPart, Severity
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quota import Pause, State, reset_alert_quota
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.mutes.mutes import mute_entry
from slack_alert.engine.payload_fields import Fields, field, instant, integer, number, optional_field, optional_instant
from slack_alert.engine.ports import Request
from slack_alert.engine.requests.external_runs import Judge, settle_execution

log = logging.getLogger(__name__)

Change = Callable[[State], State]
#: Changes the state of a name, and returns the new state.
Restate = Callable[[str, Change], State]
#: Within this time, a mute that is being applied takes effect for every slot.
_TAKING = timedelta(seconds=0.1)


def apply_request(
    request: Request,
    next_id: Callable[[], int],
    restate: Restate = lambda _, change: change(State()),
    judge: Judge | None = None,
    *,
    now: datetime | None = None,
) -> Batch:
    """Return the batch that a request causes; an unknown or unreadable one, of another version, changes nothing.

    With `now`, the time at which it is applied beside runs in progress, a mute begins then and not when it was
    requested: the slots in between were decided without it.
    """
    batch = Batch(taken=request.id, at=request.at)
    change = _CHANGES.get(request.kind, _refuse)
    try:
        if request.kind == "exec" and judge is not None:
            settle_execution(batch, request, next_id(), restate, judge)
            return batch
        change(batch, request if now is None else _as_taken(request, now), next_id, restate)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, those behind it have to be applied
        said = {"kind": abridged(request.kind), "request": request.id, "reason": abridged(repr(error))}
        log.warning("request refused", extra=said)
        return Batch(taken=request.id, at=request.at)
    return batch


def _pause(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    asked = {"by": "", **request.payload}
    batch.holds[field(asked, "job", str)] = Pause(optional_instant(asked, "until"), field(asked, "by", str))


def _resume(batch: Batch, request: Request, _: Callable[[], int], restate: Restate) -> None:
    job = field(request.payload, "job", str)
    batch.holds[job] = None
    batch.states[job] = restate(job, reset_alert_quota)


def _mute(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    asked = request.payload
    since, until = request.at, optional_instant(asked, "until")
    # A mute that is over before it is applied has no length.
    kept = Mute(field(asked, "job", str), min(since, until or since), until or since, field(asked, "by", str))
    batch.entries.append(mute_entry(kept))


def _acknowledge(batch: Batch, request: Request, _: Callable[[], int], restate: Restate) -> None:
    job, by = field(request.payload, "job", str), field(request.payload, "by", str)
    state = restate(job, partial(acknowledged, by=by, at=request.at))
    if state.incident is not None:  # The incident may have ended meanwhile.
        batch.states[job] = state


def _send(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    batch.messages.append(_unpacked(request.payload, None))


def _emit(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    batch.events.append(Event(field(request.payload, "name", str), request.at, field(request.payload, "fields", dict)))


def _retry(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    batch.retried.append(integer(request.payload, "id"))


def _drop(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    batch.dropped.append(integer(request.payload, "id"))


def _record(batch: Batch, request: Request, next_id: Callable[[], int], _: Restate) -> None:
    written = {"asked_by": None, "numbers": None, **request.payload}
    run = next_id()
    record = Record(
        run,
        field(written, "job", str),
        instant(written, "slot"),
        Verdict(written["verdict"]),
        started=optional_instant(written, "started"),
        duration=None if written["seconds"] is None else timedelta(seconds=number(written, "seconds")),
        text=field(written, "text", str),
        to=optional_field(written, "to", str),
        error=optional_field(written, "error", str),
        printed=optional_field(written, "printed", str),
        asked_by=optional_field(written, "asked_by", str),
        numbers=_numbers(optional_field(written, "numbers", dict)),
    )
    messages = [_unpacked(message, record) for message in field(written, "messages", list)]
    batch.records.append(record)
    batch.messages.extend(messages)


def _numbers(written: Fields | None) -> dict[str, float] | None:
    if written is None:
        return None
    found = {name: number(written, name) for name in written}
    if not all(map(isfinite, found.values())):
        raise ValueError(f"numbers is {written!r:.80}")
    return found


def _keep(batch: Batch, request: Request, _: Callable[[], int], __: Restate) -> None:
    kept = request.payload
    value = optional_field(kept, "value", str)
    if value is not None:
        json.loads(value)  # Every use parses it, and would fail in the plugin.
    pack, key, expires = field(kept, "pack", str), field(kept, "key", str), optional_instant(kept, "expires")
    batch.entries.append(StoredValue(pack, key, value, expires))


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
    """Return the state with the current incident acknowledged by a person."""
    if state.incident is None or not state.incident.goes_on:
        return state
    return replace(state, incident=replace(state.incident, acknowledged_by=by, acknowledged_at=at))


def _unpacked(packed: Fields, record: Record | None) -> Message:
    """Return a message of the command line, or of the run that a record is about."""
    key, to = field(packed, "key", str), Address(field(packed, "channel", str), field(packed, "conversation", str))
    piece = _unpacked_piece(field(packed, "piece", dict))
    origin: Origin
    if "origin" not in packed:
        origin = former_origin(key, None, None if record is None else record.run)
    elif record is None:
        origin = _unpacked_notice(field(packed, "origin", dict))
    else:
        origin = RunPart(record.binding, None, record.run, integer(field(packed, "origin", dict), "n"))
    return Message(key, to, piece, origin, severity=Severity(packed.get("severity", Severity.INFO)))


def _unpacked_notice(packed: Fields) -> Notice:
    n = None if packed["n"] is None else integer(packed, "n")
    return Notice(field(packed, "kind", str), field(packed, "id", str), n)


def _unpacked_piece(packed: Fields) -> Piece:
    if "text" in packed:
        return Text(field(packed, "text", str))
    if "payload" in packed:
        return Blocks(field(packed, "payload", dict))
    name, content = field(packed, "name", str), b64decode(field(packed, "content", str))
    return Upload(name, content, field(packed, "title", str), field(packed, "comment", str))
