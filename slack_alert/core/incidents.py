"""An incident: the unbroken row of a job's alerts, and how each further one of it is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b

from slack_alert.core.durations import format_duration
from slack_alert.core.model import Address, Manner
from slack_alert.core.parts import LIMIT, Entries, Piece, Text

#: Of a list, a dict or a table so many entries are compared; of a longer one nothing is.
COMPARED = 500
UNCHANGED = "said already, unchanged"


class Repeat(str, Enum):
    """How a further alert of the same incident is said."""

    POST = "post"
    CHANGE = "change"
    THREAD = "thread"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told when nobody acknowledged an incident for so long."""

    to: Address
    after: timedelta


@dataclass(frozen=True, slots=True)
class Voice:
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


PLAIN = Voice()


@dataclass(frozen=True, slots=True)
class Incident:
    """What is remembered of a row of alerts that goes on; instants are slots."""

    since: datetime
    last: datetime
    count: int = 1
    #: What was said last, and its entries where it has any.
    text: str = ""
    entries: Entries = ()
    #: When it was last said in a message of its own; None: it was not yet.
    told: datetime | None = None
    #: The key of the message that stands for it, and of the last edit of that message.
    root: str = ""
    edit: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    is_escalated: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """How an alert is said (None: not at all), and why where that is not plain."""

    manner: Manner | None
    reason: str = ""


def risen(incident: Incident | None, slot: datetime) -> Incident:
    """Count one more alert; the first begins the incident, and one slot counts once."""
    if incident is None:
        return Incident(slot, slot)
    if incident.last == slot:
        return incident
    return replace(incident, last=slot, count=incident.count + 1)


def rewound(incident: Incident | None, now: datetime) -> Incident | None:
    """Forget what lies after `now`, where the clock was ahead."""
    if incident is None or incident.since > now:
        return None
    return replace(incident, last=min(incident.last, now), told=incident.told and min(incident.told, now))


def rule(voice: Voice, incident: Incident, slot: datetime, text: str) -> Ruling:
    """Say what becomes of an alert; `incident` has counted it already."""
    if incident.count < voice.after:
        return Ruling(None, f"alert {incident.count} in a row, told from {voice.after} on")
    if incident.told is None:
        return Ruling(Manner.POST)
    if incident.acknowledged_by:
        return Ruling(None, f"acknowledged by {incident.acknowledged_by}")
    if voice.remind is not None and slot - incident.told >= voice.remind:
        return Ruling(Manner.POST, f"reminder after {format_duration(voice.remind)}")
    return _repeated(voice.repeat, incident, text)


def escalates(voice: Voice, incident: Incident, slot: datetime) -> bool:
    """Tell whether somebody else must be told now."""
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
    """Give what can be compared of a value: nothing where it is no list, dict or table, or where there is too much."""
    entries = tuple(entry for piece in pieces if isinstance(piece, Text) for entry in piece.entries)
    is_distinct = len({key for key, _ in entries}) == len(entries)
    return entries if is_distinct and len(entries) <= COMPARED else ()


def remembered_text(said: str) -> str:
    """Give what is kept of a text to compare the next one with; a long one is told from others by its digest."""
    if len(said) <= LIMIT:
        return said
    return f"{said[: LIMIT // 2]}… {blake2b(said.encode(errors='replace'), digest_size=8).hexdigest()}"


def length(incident: Incident, end: datetime) -> str:
    """Say how long it went on and how many alerts it had: `25m, 5 alerts`."""
    span = end - incident.since
    whole = timedelta(seconds=max(1, round(span.total_seconds())))
    return f"{format_duration(whole)}, {incident.count} alert{'' if incident.count == 1 else 's'}"


def _repeated(repeat: Repeat, incident: Incident, text: str) -> Ruling:
    if repeat is Repeat.CHANGE and text == incident.text:
        return Ruling(None, UNCHANGED)
    return Ruling({Repeat.THREAD: Manner.REPLY, Repeat.UPDATE: Manner.EDIT}.get(repeat, Manner.POST))
