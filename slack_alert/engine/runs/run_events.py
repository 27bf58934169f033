"""The events of the ends of runs, for rules that wait for them."""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.events import Emitted
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.rules.built_in import RUN_FAILED, RUN_SUCCEEDED
from slack_alert.engine.context.emitting import caused_by

#: The events of runs, of which a run that answers one is told by none: rules would wake each other for ever.
RUN_EVENTS = frozenset({RUN_SUCCEEDED, RUN_FAILED})


def run_event(run: Run, result: Result, verdict: Verdict, text: str, now: datetime) -> Emitted | None:
    """Return the event of the end of a run, or None if it answered such an event itself."""
    if run.event_name in RUN_EVENTS:
        return None
    failure = result.failure
    fields = {
        "job": run.binding,
        "run": run.id,
        "at": run.slot.isoformat(),
        "verdict": verdict.value,
        "duration": result.duration.total_seconds(),
        "text": text,
        "error": failure.kind if failure is not None else None,
        "message": failure.message if failure is not None else None,
        "asked_by": run.asked_by,
    }
    return caused_by(run, Emitted(RUN_SUCCEEDED if failure is None else RUN_FAILED, now, fields, by=run.binding))
