"""Incidents: consecutive alerts of a job, and how the repeated ones are posted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b
from pathlib import Path

from slack_alert.core.content.pieces import LIMIT, Blocks, Entries, Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.model.reason import UNCHANGED, Reason, ReasonCode
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_length, plural

#: Maximum number of entries of a list, a dict or a table that are compared; longer ones are not compared at all.
COMPARED = 500


class Repeat(str, Enum):
    """How a repeated alert of the same incident is posted."""

    POST = "post"
    CHANGE = "change"
    THREAD = "thread"
    UPDATE = "update"


class Escalation(Struct, frozen=True):
    """The address to notify when nobody has acknowledged an incident `after` this time."""

    to: Address
    after: timedelta


class RepeatPolicy(Struct, frozen=True):
    """How a job's incidents are posted."""

    #: Post from this consecutive alert on.
    after: int = 1
    repeat: Repeat = Repeat.POST
    #: Post a reminder after this time at the latest; None: never.
    remind: timedelta | None = None
    #: Post a message when the incident is over.
    recovers: bool = False
    escalation: Escalation | None = None

    @property
    def keeps_running(self) -> bool:
        """Whether the job must run while its quota is used up, so that no change or recovery is missed."""
        return self.repeat is not Repeat.POST or self.recovers or self.remind is not None

    @property
    def follows_up(self) -> bool:
        """Whether later alerts are posted in the thread of the first one, or change it."""
        return self.repeat in _FURTHER

    @property
    def compares(self) -> bool:
        """Whether everything a run posts is compared with that of the last one, which is only possible at its end."""
        return self.repeat in (Repeat.CHANGE, Repeat.UPDATE)


DEFAULT_REPEAT_POLICY = RepeatPolicy()


class Incident(Struct, frozen=True):
    """The stored state of an incident; all instants are slots."""

    since: datetime
    last: datetime
    count: int = 1
    #: The last text posted, and its entries if it has any.
    text: str = ""
    entries: Entries = ()
    #: Identifies the whole of the last value, the bytes of files included.
    digest: str = ""
    #: When it was last posted in a message of its own; None: not yet.
    told: datetime | None = None
    #: The address of that message.
    to: str = ""
    #: Keys of the incident's message, and of the last edit of that.
    root: str = ""
    edit: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    is_escalated: bool = False
    #: When it ended, if nothing could be posted at that time: its recovery is still to be posted. A new alert before
    #: that continues the incident, because nobody was told that it was over.
    over: datetime | None = None
    #: The text of its message as it was posted; empty: that is a file, blocks, or several texts.
    shown: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether the job's last run had an alert."""
        return self.over is None


class Notification(Struct, frozen=True):
    """How an alert is posted (None: not at all), and the reason if it needs one."""

    manner: DeliveryMode | None
    reasons: tuple[Reason, ...] = ()
    #: Digest to compare the next alert with.
    digest: str = ""


_FURTHER = {Repeat.THREAD: Notification(DeliveryMode.REPLY), Repeat.UPDATE: Notification(DeliveryMode.EDIT)}
_ANEW = Notification(DeliveryMode.POST)


def count_alert(incident: Incident | None, slot: datetime) -> Incident:
    """Count an alert; the first one opens the incident, and several of one slot count once."""
    if incident is None:
        return Incident(slot, slot)
    if incident.last == slot:
        return incident
    if incident.over is not None:  # The acknowledgement was of what is over.
        incident = replace(incident, over=None, acknowledged_by="", acknowledged_at=None)
    return replace(incident, last=slot, count=incident.count + 1)


def clamp_to_now(incident: Incident | None, now: datetime) -> Incident | None:
    """Return the incident with no instant after `now`, for a clock that was ahead; None if it began after that."""
    if incident is None or incident.since > now:
        return None
    told, over = (at and min(at, now) for at in (incident.told, incident.over))
    return replace(incident, last=min(incident.last, now), told=told, over=over)


def decide_notification(
    repeat_policy: RepeatPolicy, incident: Incident, slot: datetime, *, digest: str, to: Address
) -> Notification:
    """Return how to post an alert with this `digest`, which `incident` has counted already."""
    if incident.count < repeat_policy.after:
        return Notification(None, (Reason(ReasonCode.EARLY, count=incident.count, limit=repeat_policy.after),))
    if incident.told is None:
        return _ANEW
    if incident.acknowledged_by:
        return Notification(None, (Reason(ReasonCode.ACKNOWLEDGED, by=incident.acknowledged_by),))
    if repeat_policy.remind is not None and slot - incident.told >= repeat_policy.remind:
        return Notification(DeliveryMode.POST, (Reason(ReasonCode.REMINDER, length=repeat_policy.remind),))
    if incident.to and incident.to != str(to):  # It is new at this address, which has no message to reply to.
        return _ANEW
    return _repeat_notification(repeat_policy.repeat, incident, digest)


def must_escalate(repeat_policy: RepeatPolicy, incident: Incident, slot: datetime) -> bool:
    """Return whether the incident is to be escalated now."""
    if repeat_policy.escalation is None or incident.told is None or incident.is_escalated or incident.acknowledged_by:
        return False
    return slot - incident.since >= repeat_policy.escalation.after


def diff_entries(before: Entries, after: Entries) -> list[str]:
    """Return lines for added and changed entries in the order of `after`, then for removed ones in that of `before`."""
    was, now = dict(before), dict(after)
    lines = []
    for key, text in after:
        if key not in was:
            lines.append(f"+ {text}")
        elif was[key] != text:
            lines.append(f"~ {text}")
    return [*lines, *(f"- {text}" for key, text in before if key not in now)]


def entries_of(pieces: tuple[Piece, ...]) -> Entries:
    """Return the entries of a value to compare; none if it is no list, dict or table, or is too long."""
    entries = tuple([entry for piece in pieces if isinstance(piece, Text) for entry in piece.entries])
    is_distinct = len({key for key, _ in entries}) == len(entries)
    return entries if is_distinct and len(entries) <= COMPARED else ()


def digest_of(pieces: tuple[Piece, ...]) -> str:
    """Return a digest of the whole value, to compare it with the next one."""
    parts = [
        each for piece in pieces for part in _content_bytes(piece) for each in (len(part).to_bytes(8, "big"), part)
    ]
    return blake2b(b"".join(parts), digest_size=16).hexdigest()


def remembered_text(said: str) -> str:
    """Return the text to store for showing it again; of a long one its beginning."""
    return said if len(said) <= LIMIT else f"{said[: LIMIT // 2]}…"


def length_of(incident: Incident, end: datetime) -> timedelta:
    """Return the duration of an incident, at least a second."""
    return max(timedelta(seconds=1), end - incident.since)


def format_extent(length: timedelta, count: int) -> str:
    """Return the duration of an incident and its number of alerts: `25m, 5 alerts`."""
    return f"{format_length(length, is_exact=True)}, {count} {plural(count, 'alert')}"


def _content_bytes(piece: Piece) -> tuple[bytes, ...]:
    if isinstance(piece, Text):
        return (piece.text.encode(errors="replace"),)
    if isinstance(piece, Blocks):
        return (json.dumps(piece.payload, sort_keys=True, default=str).encode(errors="replace"),)
    content = str(piece.content).encode(errors="replace") if isinstance(piece.content, Path) else piece.content
    return (*(text.encode(errors="replace") for text in (piece.name, piece.title, piece.comment)), content)


def _repeat_notification(repeat: Repeat, incident: Incident, digest: str) -> Notification:
    if repeat is Repeat.CHANGE and digest == incident.digest:
        return Notification(None, (UNCHANGED,))
    return _FURTHER.get(repeat, _ANEW)
