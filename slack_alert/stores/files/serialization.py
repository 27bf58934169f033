"""Serialize batches and results to bytes, for the journal and the table `returned`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from slack_alert.core.content.render import Blocks, Piece, Text, Upload, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.former_messages import former_origin, former_severity
from slack_alert.core.model.message import DeliveryMode, Message, Notice, RunPart, Severity
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import astuple, from_packed, to_packed
from slack_alert.engine.batches import Batch, JobProgress, StartedRun, StoredValue


def packed(said: Batch | Returned) -> bytes:
    """Return a batch or result as bytes; raise TypeError, ValueError or OverflowError if that is impossible."""
    if isinstance(said, Batch):
        late = said.entries, said.holds, said.begun
        return to_packed((said.states, said.seen, said.records, said.messages, said.at, *late))
    return to_packed(astuple(said))


def unpacked(content: bytes) -> Batch | Returned:
    """Return the batch or result in bytes; raise Unreadable, KeyError, TypeError or ValueError if there is none."""
    return _returned(content) if isinstance(from_packed(content, list[Any])[0], int) else _batch(content)


class _PackedReturned(NamedTuple):
    """The packed form of `Returned`."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: list[dict[str, Any]]
    numbers: dict[str, float] | None
    remark: str


def _returned(content: bytes) -> Returned:
    given = from_packed(content, _PackedReturned)
    return Returned(*given._replace(pieces=tuple(map(_piece, given.pieces))))  # type: ignore[arg-type]


class _PackedBatch(NamedTuple):
    """The packed form of a batch: the fields that a recovery needs."""

    states: dict[str, State]
    seen: dict[str, JobProgress]
    records: list[Record]
    #: Untyped, because they have no tag for the kind of piece they hold.
    messages: list[dict[str, Any]]
    at: datetime
    #: Former versions have none of these.
    entries: list[StoredValue] = []  # noqa: RUF012 - a default of a tuple's field, never changed
    holds: dict[str, Pause | None] = {}  # noqa: RUF012 - as above
    begun: list[StartedRun] = []  # noqa: RUF012 - as above


def _batch(content: bytes) -> Batch:
    kept = from_packed(content, _PackedBatch)
    messages = [_message(each) for each in kept.messages]
    return Batch(**{**kept._asdict(), "messages": messages})


def _message(given: dict[str, Any]) -> Message:
    to, piece, manner = Address(**given["to"]), _piece(given["piece"]), DeliveryMode(given["manner"])
    if "origin" not in given:
        origin = former_origin(given["key"], given["slot"], given["run"])
        return Message(given["key"], to, piece, origin, manner, given["root"], former_severity(fallback(piece)))
    origin = RunPart(**given["origin"]) if "run" in given["origin"] else Notice(**given["origin"])
    return Message(given["key"], to, piece, origin, manner, given["root"], Severity(given["severity"]))


def _piece(written: dict[str, Any]) -> Piece:
    if "text" in written:
        return Text(written["text"], tuple((key, text) for key, text in written["entries"]))
    return Blocks(**written) if "payload" in written else Upload(**written)
