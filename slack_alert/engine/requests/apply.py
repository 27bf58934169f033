"""Applies requests to the owner of the database: as batches to commit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.events import Emitted
from slack_alert.core.excerpts import abridged
from slack_alert.core.model.request import (
    Acknowledge,
    Asked,
    CancelRun,
    DropDelivery,
    Emit,
    KeepValue,
    MuteJob,
    PauseJob,
    RecordExecution,
    RecordRun,
    Request,
    ResumeJob,
    RetryDelivery,
    SendMessage,
)
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quota import Pause, State, reset_alert_quota
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.requests.external_runs import Judge, Restate, settle_execution

log = logging.getLogger(__name__)

#: Returns the text of a stored value by pack and key; None: there is none.
StoredText = Callable[[str, str], "str | None"]

#: Mutes are kept among the packs of the key-value store; no folder of plugins begins with a dot. The marks of quiet
#: windows are beside them, by the names of the windows.
MUTES_PACK, WINDOWS_PACK = ".quiet", ".windows"
#: Beside them: whether a value was set that was to be set only in the place of another one, by the request's mark.
SWAPS_PACK = ".swaps"
_SWAP_MEMORY = timedelta(hours=1)
#: How long after its end a mute is kept for its digest, where the program was down meanwhile.
_MEMORY = timedelta(days=30)
#: Within this time, a mute that is being applied takes effect for every slot.
TAKING = timedelta(seconds=0.1)


def apply_request(
    request: Request,
    next_id: Callable[[], int],
    restate: Restate = lambda _, change: change(State()),
    judge: Judge | None = None,
    *,
    jobs: Callable[[], Iterable[str]] = tuple,
    stored: StoredText = lambda _pack, _key: None,
    now: datetime | None = None,
) -> Batch:
    """Return the batch that a request causes; an unknown or unreadable one, of another version, changes nothing.

    `jobs` returns the names of all jobs, and `stored` the present text of a stored value; runs of other programs are
    refused where there is no `judge`. With `now`, the
    time at which it is applied beside runs in progress, a mute begins then and not when it was requested: the slots in
    between were decided without it.
    """
    batch = Batch(taken=request.id or None, at=request.at)
    try:
        asked = request.asked()
        if isinstance(asked, RecordExecution):
            settle_execution(batch, asked, next_id, jobs, restate, judge)
        else:
            _apply(asked, batch, next_id, restate, stored, now)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, those behind it have to be applied
        said = {"kind": abridged(request.kind), "request": request.id, "reason": abridged(repr(error))}
        log.warning("request refused", extra=said)
        return Batch(taken=request.id or None, at=request.at)
    return batch


def _apply(  # noqa: C901 - a case for each kind of request, and nothing else
    asked: Asked, batch: Batch, next_id: Callable[[], int], restate: Restate, stored: StoredText, now: datetime | None
) -> None:
    at = batch.at
    assert at is not None, "a request has its time"
    match asked:
        case PauseJob(job, until, by):
            batch.holds[job] = Pause(until, by)
        case ResumeJob(job):
            batch.holds[job] = None
            batch.states[job] = restate(job, reset_alert_quota)
        case MuteJob(job, until, by):
            since = at if now is None else max(at, now + TAKING)
            # A mute that is over before it is applied has no length.
            batch.entries.append(mute_entry(Mute(job, min(since, until or since), until or since, by)))
        case Acknowledge(job, by):
            state = restate(job, partial(acknowledged, by=by, at=at))
            if state.incident is not None:  # The incident may have ended meanwhile.
                batch.states[job] = state
        case SendMessage():
            batch.messages.append(asked.message())
        case Emit(name, fields):
            batch.events.append(Emitted(name, at, fields))
        case RetryDelivery(number):
            batch.retried.append(number)
        case DropDelivery(number):
            batch.dropped.append(number)
        case CancelRun(number, by):
            batch.canceled.append((number, by))
        case KeepValue():
            batch.entries += _kept(asked, stored(asked.pack, asked.key), at)
        case RecordRun():
            record = asked.record(next_id())
            batch.records.append(record)
            batch.messages.extend(message.message(record) for message in asked.messages)


def _kept(asked: KeepValue, present: str | None, at: datetime) -> Iterator[StoredValue]:
    """Yield what is stored; where it depends on the present value, also whether it was."""
    is_kept = not asked.mark or present == asked.expected
    if is_kept:
        yield StoredValue(asked.pack, asked.key, asked.value, asked.expires, is_same=asked.value == present)
    if asked.mark:
        yield StoredValue(SWAPS_PACK, asked.mark, json.dumps(is_kept), at + _SWAP_MEMORY)


def pause_request(name: str, hold: Pause | None, at: datetime) -> Request:
    """Return the request to pause a job, or to resume it (None)."""
    return Request.of(ResumeJob(name) if hold is None else PauseJob(name, hold.until, hold.by), at)


def acknowledged(state: State, by: str, at: datetime) -> State:
    """Return the state with the current incident acknowledged by a person."""
    if state.incident is None or not state.incident.goes_on:
        return state
    return replace(state, incident=replace(state.incident, acknowledged_by=by, acknowledged_at=at))


def mute_entry(mute: Mute) -> StoredValue:
    """Return the stored entry of a mute."""
    fields = {"job": mute.job, "since": mute.since.isoformat(), "until": mute.until.isoformat(), "by": mute.by}
    return StoredValue(MUTES_PACK, mute_key(mute), json.dumps(fields), mute.until + _MEMORY)


def mute_key(mute: Mute) -> str:
    """Return the key of the stored entry of a mute."""
    return f"mute/{mute.job}/{mute.since.isoformat()}"
