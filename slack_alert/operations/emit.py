"""Tell jobs of an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import PAYLOAD_CODE, Catalog, match, payload_fault
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted
from slack_alert.core.excerpts import abridged
from slack_alert.core.model.request import Emit
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted
from slack_alert.core.units.names import alike, composed
from slack_alert.operations.requester import Requester


class EventRequested(Struct, frozen=True):
    """An event, and the jobs that it concerns."""

    event: Emitted
    #: The jobs that answer it, or only waited for its arrival.
    jobs: list[Job]
    is_taken: bool


def checked_event(
    name: str, fields: Mapping[str, object], catalog: Catalog, at: datetime, *, by: str = ""
) -> tuple[Emitted, list[Job]]:
    """Return an event that somebody reports, and the jobs that it concerns.

    Raise BadValue for a name that none can have, and for a payload that is not as its pack declares it.
    """
    if not name.strip() or not name.isprintable() or "=" in name:
        raise BadValue(f"{name!r} is no name of an event.", hint="Write `slack-alert emit backup.done size=12`.")
    event = Emitted(composed(name.strip()), at, fields, by=by)
    if fault := payload_fault(catalog, event):
        hint = "Its payload is declared in pack.toml, [events]."
        raise BadValue(f"{PAYLOAD_CODE} {event.name} is refused: {fault}.", hint=hint)
    return event, match(catalog, event)


def emit(name: str, fields: Mapping[str, object], catalog: Catalog, requester: Requester) -> EventRequested:
    """Tell the jobs that wait for an event that it was noticed; raise BadValue as `checked_event` does."""
    event, jobs = checked_event(name, fields, catalog, requester.at)
    return EventRequested(event, jobs, requester.ask(Emit(event.name, dict(fields))))


def emitted_text(done: EventRequested, catalog: Catalog) -> str:
    """Return what the event leads to."""
    name = done.event.name
    said = _answered_text(done.jobs) if done.jobs else _unanswered_text(catalog, name)
    return abridged(f"{name}: {said}")


def _answered_text(jobs: Sequence[Job]) -> str:
    """Return which jobs answer the event, and which only waited for its arrival."""
    answering = ", ".join(job.name for job in jobs if not job.is_absence)
    awaiting = ", ".join(job.name for job in jobs if job.is_absence)
    said = [f"{answering} will answer" if answering else "", f"{awaiting} waited for it" if awaiting else ""]
    return f"{'; '.join(filter(None, said))}."


def _unanswered_text(catalog: Catalog, name: str) -> str:
    """Return that no job waits for the event, with a similar name or the names that jobs wait for."""
    rules = [job.rule for job in catalog.jobs if job.rule is not None]
    names = sorted({on for rule in rules for on in rule.on})
    if name in names:
        return f"its fields meet no job's criteria ({counted(len(rules), 'job')} with `on`)."
    near = alike(name, names, most=1)
    hint = f"Did you mean {near[0]}?" if near else f"Waited for: {', '.join(names) or 'nothing'}."
    return f"no job waits for it. {hint}"
