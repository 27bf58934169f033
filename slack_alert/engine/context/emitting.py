"""What runs emit: events with a name, and with what led to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted, plain_fields
from slack_alert.core.model.run import Run
from slack_alert.core.structs import replace
from slack_alert.core.units.names import composed


def caused_by(run: Run, event: Emitted) -> Emitted:
    """Return an event with what led to it: the event that the run answers."""
    return replace(event, cause=run.cause, depth=run.depth + 1) if run.cause else event


def emitted_by(run: Run, name: str, fields: Mapping[str, object], now: datetime) -> Emitted:
    """Return the event that a run emits; its fields have JSON values. Raise BadValue for a name that none can have."""
    return caused_by(run, Emitted(event_name(run, name), now, plain_fields(fields), by=run.binding))


def event_name(run: Run, name: str) -> str:
    """Return the full name of an event: within a pack, one without a dot is the pack's. Raise BadValue for none."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or "=" in name:
        raise BadValue(f"{name!r} is no name of an event", hint='Write ctx.emit("backup.done", size=12).')
    name, pack = composed(name.strip()), run.action.pack
    return name if pack is None else pack.full_name(name)
