"""Requests to the running program, from other processes and from functions: tagged structs, validated as they are read.

The tag of a struct is the kind of its request, and its fields are the payload: so they lie in the inbox, and so lie
those that former versions left there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import TypeAlias, get_args

from slack_alert.core.content.pieces import Piece, Upload, with_tag
from slack_alert.core.model.address import Address
from slack_alert.core.model.former_messages import former_origin
from slack_alert.core.model.message import Message, MessageSeverity, Origin, RunPart
from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.model.run import Failure
from slack_alert.core.structs import Int64, Struct, astuple, from_plain, to_plain
from slack_alert.core.units.local_time import checked_instant


class _Checked(Struct, frozen=True):
    """A struct whose instants and numbers can be stored: a bad one would be read again at every start."""

    def __post_init__(self) -> None:
        for value in astuple(self):
            if isinstance(value, datetime):
                checked_instant(value)


class PauseJob(_Checked, frozen=True, tag="pause"):
    """Pause a job, for good where `until` is None."""

    job: str
    until: datetime | None
    by: str = ""


class ResumeJob(_Checked, frozen=True, tag="resume"):
    """Resume a job."""

    job: str


class MuteJob(_Checked, frozen=True, tag="mute"):
    """Mute a job (`*`: all jobs) until an instant, or end its mute (None)."""

    job: str
    until: datetime | None
    by: str


class Acknowledge(_Checked, frozen=True, tag="ack"):
    """Acknowledge a job's incident: no repeats and reminders until it is over."""

    job: str
    by: str


class SendMessage(_Checked, frozen=True, tag="send"):
    """Post a message."""

    key: str
    channel: str
    conversation: str
    piece: Piece
    #: None: a former version left it.
    origin: Origin | None = None
    severity: MessageSeverity = MessageSeverity.INFO

    def __post_init__(self) -> None:
        if self.origin is not None and self.origin.slot is not None:
            checked_instant(self.origin.slot)

    @classmethod
    def of(cls, message: Message) -> SendMessage:
        """Return the request to post a message."""
        piece = message.piece
        assert not isinstance(piece, Upload) or isinstance(piece.content, bytes), "a file is read where the run ends"
        to = message.to
        return cls(message.key, to.channel, to.conversation, piece, message.origin, message.severity)

    def message(self, record: Record | None = None) -> Message:
        """Return the message, as one of the run that the record is about."""
        origin = self.origin or former_origin(self.key, None, None if record is None else record.run)
        if record is not None and isinstance(self.origin, RunPart):
            origin = RunPart(record.binding, None, record.run, self.origin.n)
        to = Address(self.channel, self.conversation)
        return Message(self.key, to, self.piece, origin, severity=self.severity)


class Emit(_Checked, frozen=True, tag="emit"):
    """Handle an event."""

    name: str
    fields: dict[str, object]


class AskLine(_Checked, frozen=True, tag="line"):
    """Ask for a command, as somebody at a terminal of this machine."""

    text: str
    #: The user of the operating system.
    user: str
    #: Where the terminal listens for answers; empty: nobody waits for them.
    session: str


class RetryDelivery(_Checked, frozen=True, tag="retry"):
    """Send a delivery again."""

    id: Int64


class DropDelivery(_Checked, frozen=True, tag="drop"):
    """Remove a delivery from the outbox."""

    id: Int64


class CancelRun(_Checked, frozen=True, tag="cancel"):
    """Cancel a run that a person asked for."""

    run: Int64
    by: str


class KeepValue(_Checked, frozen=True, tag="keep"):
    """Store a value, JSON text or an encrypted one, in a pack's key-value store, or delete it (None)."""

    pack: str
    key: str
    value: str | None
    expires: datetime | None
    #: With a mark only if the value is the expected one (None: there is none); what came of it is found by the mark.
    expected: str | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value is not None and not self.value.startswith("!"):
            json.loads(self.value)  # Every use parses it, and would fail in the plugin.


#: The fields that a record has under the same names.
_SAME = ("slot", "verdict", "started", "text", "to", "error", "printed", "asked_by", "numbers", "outcome")


class RecordRun(_Checked, frozen=True, tag="record"):
    """Record a run that a person started elsewhere, and post its messages."""

    job: str
    slot: datetime
    verdict: Verdict
    started: datetime | None
    seconds: float | None
    text: str
    to: str | None
    error: str | None
    printed: str | None
    messages: tuple[SendMessage, ...]
    asked_by: str | None = None
    numbers: Mapping[str, int | float] | None = None
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(map(isfinite, (self.numbers or {}).values())):
            raise ValueError("a number is not finite")

    @classmethod
    def of(cls, record: Record, messages: tuple[Message, ...]) -> RecordRun:
        """Return the request to record a run and to post its messages."""
        seconds = None if record.duration is None else record.duration.total_seconds()
        same = {name: getattr(record, name) for name in _SAME}
        return cls(job=record.binding, seconds=seconds, messages=tuple(map(SendMessage.of, messages)), **same)

    def record(self, run: int) -> Record:
        """Return the line of history, under the id that the run has here."""
        duration = None if self.seconds is None else timedelta(seconds=self.seconds)
        return Record(run, self.job, duration=duration, **{name: getattr(self, name) for name in _SAME})


class ExecutionUsage(Struct, frozen=True):
    """The resources that an external run used; the CPU time in seconds."""

    cpu: float
    memory: Int64


class RecordExecution(_Checked, frozen=True, tag="exec"):
    """Record the run of a program that others start, such as cron, and post its failure."""

    job: str
    slot: datetime
    #: None: nobody knows.
    seconds: float | None
    printed: str
    failure: Failure | None
    to: Address | None
    usage: ExecutionUsage | None
    #: Whether `job` differs from the names of all jobs.
    is_named: bool = True
    #: The name as it was typed, where `job` is another.
    typed: str = ""

    def duration(self) -> timedelta:
        """Return how long it took; nothing where nobody knows."""
        return timedelta(seconds=self.seconds or 0)

    def used(self) -> Usage | None:
        """Return the resources that it used."""
        return None if self.usage is None else Usage(timedelta(seconds=self.usage.cpu), self.usage.memory)


Asked: TypeAlias = (
    PauseJob
    | ResumeJob
    | MuteJob
    | Acknowledge
    | SendMessage
    | Emit
    | AskLine
    | RetryDelivery
    | DropDelivery
    | CancelRun
    | KeepValue
    | RecordRun
    | RecordExecution
)
_KINDS: dict[str, type[Asked]] = {kind.__struct_config__.tag: kind for kind in get_args(Asked)}


class Request(_Checked, frozen=True):
    """A request as it lies in the inbox: what `asked` reads may be of another version, or of no version."""

    kind: str
    payload: Mapping[str, object]
    at: datetime
    id: int = 0

    @classmethod
    def of(cls, asked: Asked, at: datetime) -> Request:
        """Return the request that asks for something."""
        payload = to_plain(asked)
        for message in (payload, *payload.get("messages", ())):
            message.get("piece", {}).pop("type", None)
        return cls(payload.pop("type"), payload, at)

    def asked(self) -> Asked:
        """Return what it asks for; raise ValueError where this version cannot read that."""
        if self.kind not in _KINDS:
            raise ValueError(f"there is no request {self.kind!r} in this version")
        return from_plain(_with_tags(self.payload), _KINDS[self.kind])


def _with_tags(payload: Mapping[str, object]) -> Mapping[str, object]:
    """Return a payload whose pieces say what they are."""
    if isinstance(messages := payload.get("messages"), list):
        return {**payload, "messages": [_with_tags(each) if isinstance(each, dict) else each for each in messages]}
    return {**payload, "piece": with_tag(payload["piece"])} if "piece" in payload else payload
