"""Messages of an incident: its alerts, its acknowledgement and its recovery."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.notices import RECOVERED
from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Piece, Text, Upload, deliverable, fallback, with_notice
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message, Notice
from slack_alert.core.model.run import RunPosts
from slack_alert.core.pipeline.alert_buttons import alert_buttons
from slack_alert.core.pipeline.messages import messages
from slack_alert.core.policy.incidents import (
    Incident,
    Repeat,
    diff_entries,
    digest_of,
    entries_of,
    format_extent,
    length_of,
)
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_time

#: The end of a shorter pause is shown to the second.
_BRIEF = timedelta(minutes=2)


class IncidentForm(Struct, frozen=True):
    """The form in which an alert of an incident is posted."""

    #: None: not posted, there is nothing new.
    manner: DeliveryMode | None
    pieces: tuple[Piece, ...]
    #: Files to post in the thread of the incident's message, which cannot be a file itself: there is no way to reply to
    #: one or to edit it.
    files: tuple[Piece, ...] = ()


def format_alert(
    job: Job, incident: Incident, slot: datetime, pieces: tuple[Piece, ...], manner: DeliveryMode
) -> IncidentForm:
    """Return the form of an alert that may follow others: as a reply, the changed entries of a list, dict or table.

    An alert that does not fit into an edit becomes a reply if it is new.
    """
    heads, files = _separate_files(job, pieces)
    if manner is DeliveryMode.POST:
        return IncidentForm(manner, heads, files)
    entries = entries_of(pieces)
    lines = diff_entries(incident.entries, entries) if entries and incident.entries else None
    is_new = digest_of(pieces) != incident.digest
    if manner is DeliveryMode.EDIT:
        footer = f"{incident.count} alerts since {format_clock(job, incident.since)}, last {format_clock(job, slot)}"
        told = with_notice(heads, "\n".join([*(lines or ()), footer]))
        if len(told) == 1 and not isinstance(told[0], Upload):
            return IncidentForm(manner, told, files if is_new else ())
        if not is_new:
            return IncidentForm(None, pieces)
    if lines is None:
        is_known = not is_new and all(isinstance(piece, Upload) for piece in pieces)
        return IncidentForm(None if is_known else DeliveryMode.REPLY, pieces)
    return IncidentForm(DeliveryMode.REPLY, (Text("\n".join(lines)),)) if lines else IncidentForm(None, pieces)


def recovery_messages(job: Job, incident: Incident, run: RunPosts, mark: Markup) -> tuple[Message, ...]:
    """Return the messages that close an incident, where it was posted and where it was escalated to.

    There are none if the job does not want them, or if the incident was never posted.
    """
    if not job.policy.repeat_policy.recovers or incident.told is None:
        return ()
    after = format_extent(length_of(incident, incident.over or run.slot), incident.count)
    line = f"{RECOVERED.in_chat(mark.escape(job.name))} after {after}"
    if incident.over is not None:
        line += f", at {format_clock(job, incident.over)}"
    to, root = incident_address(job, incident), incident.edit or incident.root
    manner, pieces = _recovery_form(job, incident, line)
    told = messages(run, pieces, to, manner, root=root)
    escalation = job.policy.repeat_policy.escalation
    if escalation is None or not incident.is_escalated or (manner is DeliveryMode.POST and escalation.to == to):
        return told
    return told + messages(replace(run, said=run.said + len(told)), (Text(line),), escalation.to)


def acknowledgement_messages(
    job: Job, incident: Incident, mark: Markup, *, has_buttons: bool = False
) -> tuple[Message, ...]:
    """Return the message that shows who acknowledged an incident: an edit or a reply, which notify nobody.

    Without buttons there is none if the job posts its alerts as messages of their own. With them, the message in which
    one was pressed says so wherever that is a text, and loses the button.
    """
    at = incident.acknowledged_at
    if at is None or incident.told is None or not (has_buttons or job.policy.repeat_policy.follows_up):
        return ()
    line = f"taken care of by {mark.escape(incident.acknowledged_by)} since {format_clock(job, at)}"
    manner, pieces = _acknowledgement_form(job, incident, line, has_buttons=has_buttons)
    buttons = alert_buttons(job, is_acknowledged=True) if manner is DeliveryMode.EDIT else ()
    origin = Notice("ack", f"{job.name}/{incident.since.isoformat()}/{at.isoformat()}")
    to, root = incident_address(job, incident), incident.edit or incident.root
    return (Message(origin.key, to, pieces[0], origin, manner, root, buttons=buttons),)


def incident_address(job: Job, incident: Incident) -> Address:
    """Return the address at which an incident was posted, which may differ from the job's present one."""
    channel, colon, conversation = incident.to.partition(":")
    return Address(channel, conversation) if colon else job.to


def format_clock(job: Job, at: datetime) -> str:
    """Return a time in the form of the job's notices."""
    return format_time(at, job.zone, at, seconds="always" if job.policy.pause_time < _BRIEF else "never")


def shown_name(job: Job, mark: Markup) -> str:
    """Return the job's name in bold, for the beginning of a line."""
    return f"*{mark.escape(job.name)}*"


def _recovery_form(job: Job, incident: Incident, line: str) -> tuple[DeliveryMode, tuple[Piece, ...]]:
    if job.policy.repeat_policy.repeat is not Repeat.UPDATE:
        return (DeliveryMode.REPLY if job.policy.repeat_policy.repeat is Repeat.THREAD else DeliveryMode.POST), (
            Text(line),
        )
    closed = with_notice((Text(incident.text),), line)
    return (DeliveryMode.EDIT, closed) if len(closed) == 1 else (DeliveryMode.POST, (Text(line),))


def _acknowledgement_form(
    job: Job, incident: Incident, line: str, *, has_buttons: bool
) -> tuple[DeliveryMode, tuple[Piece, ...]]:
    is_updated = job.policy.repeat_policy.repeat is Repeat.UPDATE
    noticed = with_notice((Text(incident.text if is_updated else incident.shown),), line)
    is_edit = (is_updated or (has_buttons and bool(incident.shown))) and len(noticed) == 1
    return (DeliveryMode.EDIT, noticed) if is_edit else (DeliveryMode.REPLY, (Text(line),))


def _separate_files(job: Job, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return the pieces without files, which are named instead, and the files; short texts are joined."""
    name = job.name.rpartition(".")[2]
    parts = [part for piece in pieces for part in deliverable(piece, name=name)]
    files = [part for part in parts if isinstance(part, Upload)]
    heads = _join_texts([part for part in parts if not isinstance(part, Upload)])
    if files:
        heads = with_notice(heads, "\n".join(map(fallback, files)))
    return heads, tuple(replace(file, comment="") for file in files)


def _join_texts(parts: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for part in parts:
        before = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(before, Text) and len(before.text) + len(part.text) < LIMIT:
            joined[-1] = Text(f"{before.text}\n{part.text}")
        else:
            joined.append(part)
    return tuple(joined)
