"""Acknowledge incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from slack_alert.core.model.request import Acknowledge
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_time, join_names
from slack_alert.engine.batches import Snapshot
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.requester import JobChange, Requester


class Acknowledged(Struct, frozen=True):
    """The jobs whose incidents are acknowledged now, and the incidents that were already."""

    change: JobChange
    already: dict[str, Incident]


def ack(said: str, lookup: JobLookup, requester: Requester, *, snapshot: Snapshot) -> Acknowledged:
    """Acknowledge the open incidents of the jobs that match, as far as they were posted."""
    names = [job.name for job in lookup.jobs(said)]
    told = {name: incident for name in names if (incident := _told_incident(snapshot, name)) is not None}
    fresh = [name for name, incident in told.items() if not incident.acknowledged_by]
    asked = [Acknowledge(name, requester.by) for name in fresh]
    change = JobChange(names, fresh, requester.ask(*asked) if fresh else True)
    return Acknowledged(change, {name: incident for name, incident in told.items() if incident.acknowledged_by})


def acknowledged_text(done: Acknowledged, by: str, *, zone: tzinfo, now: datetime) -> Iterator[str]:
    """Yield what was done, a sentence each."""
    for name, incident in done.already.items():
        at = incident.acknowledged_at
        when = f" since {format_time(at, zone, now, seconds='today')}" if at else ""
        yield f"{name} is taken care of by {incident.acknowledged_by}{when} already."
    if done.change.changed:
        when = format_time(now, zone, now, seconds="today")
        taken = f"{join_names(done.change.changed, 'is', 'are')} taken care of by {by} since {when}"
        yield f"{taken}: quiet until the recovery."
    elif not done.already:
        yield f"{join_names(done.change.names, 'has', 'have')} no open incident that was told."


def _told_incident(snapshot: Snapshot, name: str) -> Incident | None:
    state = snapshot.states.get(name)
    incident = state.incident if state is not None and state.is_alerting else None
    return incident if incident is not None and incident.told is not None else None
