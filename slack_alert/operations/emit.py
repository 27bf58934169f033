"""Tell jobs of an event."""

from __future__ import annotations

from collections.abc import Mapping

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import PAYLOAD_CODE, Catalog, match, payload_fault
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted
from slack_alert.core.model.request import Emit
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed
from slack_alert.operations.requester import Requester


class EventRequested(Struct, frozen=True):
    """An event, and the jobs that it concerns."""

    event: Emitted
    #: The jobs that answer it, or only waited for its arrival.
    jobs: list[Job]
    is_taken: bool


def emit(name: str, fields: Mapping[str, object], catalog: Catalog, requester: Requester) -> EventRequested:
    """Tell the jobs that wait for an event that it was noticed.

    Raise BadValue for a name that none can have, and for a payload that is not as its pack declares it.
    """
    if not name.strip() or not name.isprintable() or "=" in name:
        raise BadValue(f"{name!r} is no name of an event.", hint="Write `slack-alert emit backup.done size=12`.")
    event = Emitted(composed(name.strip()), requester.at, fields)
    if fault := payload_fault(catalog, event):
        hint = "Its payload is declared in pack.toml, [events]."
        raise BadValue(f"{PAYLOAD_CODE} {event.name} is refused: {fault}.", hint=hint)
    return EventRequested(event, match(catalog, event), requester.ask(Emit(event.name, dict(fields))))
