"""An incident in messages: its alerts where they belong, that somebody takes care of it, and that it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Piece, Text, Upload, deliverable, fallback, with_notice
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.messages import messages
from slack_alert.core.policy.incidents import Incident, Repeat, changes, digest_of, entries_of, length
from slack_alert.core.structs import Struct, replace

#: Until when a pause shorter than this lasts is told to the second.
_BRIEF = timedelta(minutes=2)


class IncidentForm(Struct, frozen=True):
    """How an alert is told."""

    #: None: not at all, there is nothing new.
    manner: DeliveryMode | None
    pieces: tuple[Piece, ...]
    #: What goes into the thread of the incident's message, which cannot be a file: nobody replies to one, or edits it.
    files: tuple[Piece, ...] = ()


def form(
    job: Job, incident: Incident, slot: datetime, pieces: tuple[Piece, ...], manner: DeliveryMode | None
) -> IncidentForm:
    """Say of a list, a dict or a table what is new in it; what cannot be an edit is a reply, where it is new."""
    if manner is None or job.policy.voice.repeat not in (Repeat.THREAD, Repeat.UPDATE):
        return IncidentForm(manner, pieces)
    heads, files = _parted(job, pieces)
    if manner is DeliveryMode.POST:
        return IncidentForm(manner, heads, files)
    entries = entries_of(pieces)
    lines = changes(incident.entries, entries) if entries and incident.entries else None
    is_new = digest_of(pieces) != incident.digest
    if manner is DeliveryMode.EDIT:
        footer = f"{incident.count} alerts since {clock(job, incident.since)}, last {clock(job, slot)}"
        told = with_notice(heads, "\n".join([*(lines or ()), footer]))
        if len(told) == 1 and not isinstance(told[0], Upload):
            return IncidentForm(manner, told, files if is_new else ())
        if not is_new:
            return IncidentForm(None, pieces)
    if lines is None:
        is_known = not is_new and all(isinstance(piece, Upload) for piece in pieces)
        return IncidentForm(None if is_known else DeliveryMode.REPLY, pieces)
    return IncidentForm(DeliveryMode.REPLY, (Text("\n".join(lines)),)) if lines else IncidentForm(None, pieces)


def recovery(job: Job, incident: Incident, run: Run, mark: Markup) -> tuple[Message, ...]:
    """Close an incident where it stands, and tell those to whom it was escalated; nobody hears of what was not told."""
    if not job.policy.voice.recovers or incident.told is None:
        return ()
    line = f":white_check_mark: {shown_name(job, mark)} recovered after {length(incident, incident.over or run.slot)}"
    if incident.over is not None:
        line += f", at {clock(job, incident.over)}"
    to, root = place(job, incident), incident.edit or incident.root
    manner, pieces = _closing(job, incident, line)
    told = messages(run, pieces, to, manner, root=root)
    escalation = job.policy.voice.escalation
    if escalation is None or not incident.is_escalated or (manner is DeliveryMode.POST and escalation.to == to):
        return told
    return told + messages(replace(run, said=run.said + len(told)), (Text(line),), escalation.to)


def acknowledgement(job: Job, incident: Incident, mark: Markup) -> tuple[Message, ...]:
    """Show beside an incident who takes care of it, where that calls nobody: in its message, or in its thread."""
    at = incident.acknowledged_at
    if at is None or incident.told is None or job.policy.voice.repeat not in (Repeat.THREAD, Repeat.UPDATE):
        return ()
    line = f"taken care of by {mark.escape(incident.acknowledged_by)} since {clock(job, at)}"
    manner, pieces = _beside(job, incident, line)
    key = f"ack/{job.name}/{incident.since.isoformat()}/{at.isoformat()}"
    return (Message(key, place(job, incident), pieces[0], manner=manner, root=incident.edit or incident.root),)


def place(job: Job, incident: Incident) -> Address:
    """Say where an incident was told, which need not be where the job tells the next one."""
    channel, colon, conversation = incident.to.partition(":")
    return Address(channel, conversation) if colon else job.to


def clock(job: Job, at: datetime) -> str:
    """Write a time as the job's notices have it."""
    return at.astimezone(job.zone).strftime("%H:%M:%S" if job.policy.pause_time < _BRIEF else "%H:%M")


def shown_name(job: Job, mark: Markup) -> str:
    """Write the job's name as it begins a line."""
    return f"*{mark.escape(job.name)}*"


def _closing(job: Job, incident: Incident, line: str) -> tuple[DeliveryMode, tuple[Piece, ...]]:
    if job.policy.voice.repeat is not Repeat.UPDATE:
        return (DeliveryMode.REPLY if job.policy.voice.repeat is Repeat.THREAD else DeliveryMode.POST), (Text(line),)
    closed = with_notice((Text(incident.text),), line)
    return (DeliveryMode.EDIT, closed) if len(closed) == 1 else (DeliveryMode.POST, (Text(line),))


def _beside(job: Job, incident: Incident, line: str) -> tuple[DeliveryMode, tuple[Piece, ...]]:
    noticed = with_notice((Text(incident.text),), line)
    is_edit = job.policy.voice.repeat is Repeat.UPDATE and len(noticed) == 1
    return (DeliveryMode.EDIT, noticed) if is_edit else (DeliveryMode.REPLY, (Text(line),))


def _parted(job: Job, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Take the files out, and name them instead; texts that fit into one message become one."""
    name = job.name.rpartition(".")[2]
    parts = [part for piece in pieces for part in deliverable(piece, name=name)]
    files = [part for part in parts if isinstance(part, Upload)]
    heads = _joined([part for part in parts if not isinstance(part, Upload)])
    if files:
        heads = with_notice(heads, "\n".join(map(fallback, files)))
    return heads, tuple(replace(file, comment="") for file in files)


def _joined(parts: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for part in parts:
        before = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(before, Text) and len(before.text) + len(part.text) < LIMIT:
            joined[-1] = Text(f"{before.text}\n{part.text}")
        else:
            joined.append(part)
    return tuple(joined)
