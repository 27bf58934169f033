"""How often rules have answered of late, kept across restarts, for those that answer so many events at most."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from slack_alert.core.model.reason import Reason
from slack_alert.core.pipeline.reasons import throttle_reason
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.runs.job_state import JobState

#: The pack of what is remembered; no folder has such a name.
RATES_PACK = ".rates"


class Throttling(Struct, frozen=True):
    """Whether a rule may answer at a moment, and what is then remembered."""

    reason: Reason | None = None
    kept: tuple[StoredValue, ...] = ()


def throttled(job_state: JobState, at: datetime) -> Throttling:
    """Return why a rule does not answer at a moment; if it does, it counts from now on."""
    job, answered = job_state.job, job_state.admitted
    rate = job.rule.at_most if job.rule is not None else None
    if rate is None:
        return Throttling()
    if rate.until(answered, at) is not None:
        return Throttling(throttle_reason(rate, answered, at, job.zone))
    job_state.admitted = (*rate.since(answered, at), at)
    kept = json.dumps([each.isoformat() for each in job_state.admitted])
    return Throttling(None, (StoredValue(RATES_PACK, job.name, kept, at + rate.window),))


def restore_rates(job_states: Mapping[str, JobState], entries: Iterable[StoredValue]) -> None:
    """Remember what a former process has answered."""
    for entry in entries:
        if entry.pack == RATES_PACK and entry.key in job_states and entry.value is not None:
            answered = [datetime.fromisoformat(each) for each in json.loads(entry.value)]
            job_states[entry.key].admitted = tuple(answered)
