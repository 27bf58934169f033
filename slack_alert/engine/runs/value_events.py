"""The events of changed values of `ctx.store`, for rules that wait for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from slack_alert.core.events import Emitted
from slack_alert.core.model.run import Run
from slack_alert.core.rules.built_in import STORE_CHANGED
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.emitting import caused_by
from slack_alert.engine.context.key_value import is_encrypted


def value_events(entries: Iterable[StoredValue], now: datetime, run: Run | None = None) -> Iterator[Emitted]:
    """Yield an event for each value that is another one now; an encrypted one is not told.

    A run that answers such an event is told by none: rules would wake each other for ever.
    """
    if run is not None and run.event_name == STORE_CHANGED:
        return
    for entry in entries:
        if entry.is_same or entry.pack.startswith("."):  # What the program keeps for itself.
            continue
        is_secret = is_encrypted(entry)
        fields = {
            "pack": entry.pack,
            "key": entry.key,
            "value": None if is_secret or entry.value is None else json.loads(entry.value),
            "deleted": entry.value is None,
            "encrypted": is_secret,
        }
        event = Emitted(STORE_CHANGED, now, fields, by="" if run is None else run.binding)
        yield event if run is None else caused_by(run, event)
