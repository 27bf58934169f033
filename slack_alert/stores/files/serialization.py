"""Serialize batches and results to bytes, for the journal and the table `returned`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slack_alert.core.content.pieces import fallback, with_tag
from slack_alert.core.events import AcceptedEvent, Answer
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.former_messages import former_origin, former_severity
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import Struct, asdict, field, from_packed, from_plain, replace, to_packed
from slack_alert.engine.batches import Batch, JobProgress, StartedRun, StoredValue
from slack_alert.stores.old_reasons import without_sentences


def packed(said: Batch | Returned) -> bytes:
    """Return a batch or result as bytes; raise TypeError, ValueError or OverflowError if that is impossible."""
    if isinstance(said, Batch):
        late = said.entries, said.holds, said.begun, said.accepted, said.answered
        chat = said.asked, said.settled, said.inbound, said.audit
        return to_packed((said.states, said.seen, said.records, said.messages, said.at, *late, *chat))
    return to_packed(said)


def unpacked(content: bytes) -> Batch | Returned:
    """Return the batch or result in bytes; raise Unreadable, KeyError, TypeError or ValueError if there is none."""
    fields = from_packed(content, list[Any])
    is_returned = isinstance(fields[0], int)
    fields = without_sentences(fields, is_returned=is_returned)
    if is_returned:
        fields[5] = [with_tag(piece) for piece in fields[5]]
        return from_plain(fields, Returned)
    formers = [message for message in fields[3] if "origin" not in message]
    for message in fields[3]:
        message["piece"] = with_tag(message["piece"])
    batch = Batch(**asdict(from_plain(fields, _PackedBatch)))
    if formers:
        batch.messages = [_of_former(*each) for each in zip(batch.messages, formers, strict=True)]
    return batch


def _of_former(message: Message, fields: dict[str, Any]) -> Message:
    """Return a message of a version that had slot and run instead of where it comes from."""
    origin = former_origin(message.key, fields["slot"], fields["run"])
    return replace(message, origin=origin, severity=former_severity(fallback(message.piece)))


class _PackedBatch(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The packed form of a batch: the fields that a recovery needs."""

    states: dict[str, State]
    seen: dict[str, JobProgress]
    records: list[Record]
    messages: list[Message]
    at: datetime
    #: Former versions have none of these.
    entries: list[StoredValue] = field(default_factory=list)
    holds: dict[str, Pause | None] = field(default_factory=dict)
    begun: list[StartedRun] = field(default_factory=list)
    accepted: list[AcceptedEvent] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    asked: list[AskedCommand] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    inbound: list[tuple[str, datetime]] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
