"""Events of a sensor that say the same again: they are recognized by the fields that its marker names."""

from __future__ import annotations

from hashlib import sha256

from slack_alert.core.bindings import Job
from slack_alert.core.events import Emitted
from slack_alert.core.rules.templates import MissingField, filled


def dedup_key(job: Job, event: Emitted) -> str | None:
    """Return what an event is recognized by for a day; None: it has not all fields of it, and is never a repetition."""
    try:
        said = str(filled(job.dedup, event.fields, "dedup"))
    except MissingField:
        return None
    return f"event:{job.name}:{sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}"
