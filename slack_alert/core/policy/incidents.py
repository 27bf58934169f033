"""An incident: the unbroken row of a job's alerts, and how each further one of it is said."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b
from pathlib import Path

from slack_alert.core.content.pieces import LIMIT, Blocks, Entries, Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.quantities import format_duration

#: Of a list, a dict or a table so many entries are compared; of a longer one nothing is.
COMPARED = 500
UNCHANGED = "said already, unchanged"
#: How the reason of the run begins that ended one.
RECOVERED = "recovered after "


class Repeat(str, Enum):
    """How a further alert of the same incident is said."""

    POST = "post"
    CHANGE = "change"
    THREAD = "thread"
    UPDATE = "update"


class Escalation(Struct, frozen=True):
    """Who is told when nobody acknowledged an incident for so long."""

    to: Address
    after: timedelta


class RepeatPolicy(Struct, frozen=True):
    """How a job's incidents are said."""

    #: Speak from this alert of a row on.
    after: int = 1
    repeat: Repeat = Repeat.POST
    #: Say it again after so long at the latest; None: never.
    remind: timedelta | None = None
    #: Tell when it is over.
    recovers: bool = False
    escalation: Escalation | None = None

    @property
    def keeps_running(self) -> bool:
        """Whether the job must run while its quota is spent, or what it tells of would be missed."""
        return self.repeat is not Repeat.POST or self.recovers or self.remind is not None

    @property
    def compares(self) -> bool:
        """Whether all that a run says is compared with all that the last one said, so that it is known at its end."""
        return self.repeat in (Repeat.CHANGE, Repeat.UPDATE)


PLAIN = RepeatPolicy()


class Incident(Struct, frozen=True):
    """What is remembered of a row of alerts that goes on; instants are slots."""

    since: datetime
    last: datetime
    count: int = 1
    #: What was said last, and its entries where it has any.
    text: str = ""
    entries: Entries = ()
    #: Tells it from whatever else could have been said, the bytes of a file included.
    digest: str = ""
    #: When it was last said in a message of its own; None: it was not yet.
    told: datetime | None = None
    #: The address of that message.
    to: str = ""
    #: The key of the message that stands for it, and of the last edit of that message.
    root: str = ""
    edit: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    is_escalated: bool = False
    #: When it ended, where nothing might be said just then: that is still to be told. A new alert before that goes on
    #: with it, as people never heard that it was over.
    over: datetime | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the job alerted when it last ran."""
        return self.over is None


class Notification(Struct, frozen=True):
    """How an alert is said (None: not at all), and why where that is not plain."""

    manner: DeliveryMode | None
    reason: str = ""
    #: What it is compared with the next one by.
    digest: str = ""


_FURTHER = {Repeat.THREAD: Notification(DeliveryMode.REPLY), Repeat.UPDATE: Notification(DeliveryMode.EDIT)}
_ANEW = Notification(DeliveryMode.POST)


def risen(incident: Incident | None, slot: datetime) -> Incident:
    """Count one more alert; the first begins the incident, and one slot counts once."""
    if incident is None:
        return Incident(slot, slot)
    if incident.last == slot:
        return incident
    if incident.over is not None:  # Who took care of it was done with it.
        incident = replace(incident, over=None, acknowledged_by="", acknowledged_at=None)
    return replace(incident, last=slot, count=incident.count + 1)


def rewound(incident: Incident | None, now: datetime) -> Incident | None:
    """Forget what lies after `now`, where the clock was ahead."""
    if incident is None or incident.since > now:
        return None
    told, over = (at and min(at, now) for at in (incident.told, incident.over))
    return replace(incident, last=min(incident.last, now), told=told, over=over)


def rule(voice: RepeatPolicy, incident: Incident, slot: datetime, *, digest: str, to: Address) -> Notification:
    """Say what becomes of an alert that is told from others by its `digest`; `incident` has counted it already."""
    if incident.count < voice.after:
        return Notification(None, f"alert {incident.count} in a row, told from {voice.after} on")
    if incident.told is None:
        return _ANEW
    if incident.acknowledged_by:
        return Notification(None, f"acknowledged by {incident.acknowledged_by}")
    if voice.remind is not None and slot - incident.told >= voice.remind:
        return Notification(DeliveryMode.POST, f"reminder after {format_duration(voice.remind)}")
    if incident.to and incident.to != str(to):  # There it is news, and what stands elsewhere cannot be answered.
        return _ANEW
    return _repeated(voice.repeat, incident, digest)


def escalates(voice: RepeatPolicy, incident: Incident, slot: datetime) -> bool:
    """Return whether somebody else must be told now."""
    if voice.escalation is None or incident.told is None or incident.is_escalated or incident.acknowledged_by:
        return False
    return slot - incident.since >= voice.escalation.after


def changes(before: Entries, after: Entries) -> list[str]:
    """List what was added, changed and removed, in the order of the new one and then of the old one."""
    was, now = dict(before), dict(after)
    lines = []
    for key, text in after:
        if key not in was:
            lines.append(f"+ {text}")
        elif was[key] != text:
            lines.append(f"~ {text}")
    return [*lines, *(f"- {text}" for key, text in before if key not in now)]


def entries_of(pieces: tuple[Piece, ...]) -> Entries:
    """Return what can be compared of a value: nothing where it is no list, dict or table, or too much."""
    entries = tuple([entry for piece in pieces if isinstance(piece, Text) for entry in piece.entries])
    is_distinct = len({key for key, _ in entries}) == len(entries)
    return entries if is_distinct and len(entries) <= COMPARED else ()


def digest_of(pieces: tuple[Piece, ...]) -> str:
    """Return by what a value is compared with the next one: the whole of it."""
    parts = [each for piece in pieces for part in _substance(piece) for each in (len(part).to_bytes(8, "big"), part)]
    return blake2b(b"".join(parts), digest_size=16).hexdigest()


def remembered_text(said: str) -> str:
    """Return what is kept of a text to show it again; of a long one its beginning."""
    return said if len(said) <= LIMIT else f"{said[: LIMIT // 2]}…"


def length(incident: Incident, end: datetime) -> str:
    """Return how long it went on and how many alerts it had: `25m, 5 alerts`."""
    span = end - incident.since
    whole = timedelta(seconds=max(1, round(span.total_seconds())))
    return f"{format_duration(whole)}, {incident.count} alert{'' if incident.count == 1 else 's'}"


def _substance(piece: Piece) -> tuple[bytes, ...]:
    if isinstance(piece, Text):
        return (piece.text.encode(errors="replace"),)
    if isinstance(piece, Blocks):
        return (json.dumps(piece.payload, sort_keys=True, default=str).encode(errors="replace"),)
    content = str(piece.content).encode(errors="replace") if isinstance(piece.content, Path) else piece.content
    return (*(text.encode(errors="replace") for text in (piece.name, piece.title, piece.comment)), content)


def _repeated(repeat: Repeat, incident: Incident, digest: str) -> Notification:
    if repeat is Repeat.CHANGE and digest == incident.digest:
        return Notification(None, UNCHANGED)
    return _FURTHER.get(repeat, _ANEW)
