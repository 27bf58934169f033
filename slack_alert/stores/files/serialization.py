"""What is said in bytes: as the journal keeps it, and a start until its runs have a record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import astuple, from_packed, to_packed
from slack_alert.engine.batches import Batch, JobProgress, StartedRun, StoredValue


def packed(said: Batch | Returned) -> bytes:
    """Return the bytes of what is said; raise TypeError, ValueError or OverflowError for what cannot be packed."""
    if isinstance(said, Batch):
        late = said.entries, said.holds, said.begun
        return to_packed((said.states, said.seen, said.records, said.messages, said.at, *late))
    return to_packed(astuple(said))


def unpacked(content: bytes) -> Batch | Returned:
    """Return what `packed` was given; raise Unreadable, KeyError, TypeError or ValueError for anything else."""
    return _returned(content) if isinstance(from_packed(content, list[Any])[0], int) else _batch(content)


class _Given(NamedTuple):
    """What is kept of what a run returned."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: list[dict[str, Any]]
    numbers: dict[str, float] | None
    remark: str


def _returned(content: bytes) -> Returned:
    given = from_packed(content, _Given)
    return Returned(*given._replace(pieces=tuple(map(_piece, given.pieces))))  # type: ignore[arg-type]


class _Kept(NamedTuple):
    """What is kept of a batch."""

    states: dict[str, State]
    seen: dict[str, JobProgress]
    records: list[Record]
    #: As they come, because nothing in them tells which kind of piece they hold.
    messages: list[dict[str, Any]]
    at: datetime
    #: Former versions kept none of these.
    entries: list[StoredValue] = []  # noqa: RUF012 - a default of a tuple's field, which nobody changes
    holds: dict[str, Pause | None] = {}  # noqa: RUF012 - as above
    begun: list[StartedRun] = []  # noqa: RUF012 - as above


def _batch(content: bytes) -> Batch:
    kept = from_packed(content, _Kept)
    messages = [_message(**each) for each in kept.messages]
    return Batch(**{**kept._asdict(), "messages": messages})


def _message(*, to: dict[str, str], piece: dict[str, Any], manner: str, **fields: Any) -> Message:
    return Message(**fields, to=Address(**to), piece=_piece(piece), manner=DeliveryMode(manner))


def _piece(written: dict[str, Any]) -> Piece:
    if "text" in written:
        return Text(written["text"], tuple((key, text) for key, text in written["entries"]))
    return Blocks(**written) if "payload" in written else Upload(**written)
