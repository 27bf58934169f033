"""Pause and resume jobs from within functions; above the engine and the recorder, as it needs both."""

from __future__ import annotations

from slack_alert.core.catalog import full_name
from slack_alert.core.policy.quota import Pause, reset_alert_quota
from slack_alert.engine.batches import Batch
from slack_alert.engine.durable_values import submit_durably
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Recorder


def pause_by_name(engine: Engine, recorder: Recorder, name: str, hold: Pause | None) -> None:
    """Pause or resume (None) the job with a name as people type it; durable when this returns.

    Raise BadValue where there is no such job, and StoreError where the disk accepts no write.
    """
    full = full_name(name, [job_state.job.name for job_state in engine.jobs()])
    engine.pause(full, hold)
    batch = Batch(holds={full: hold})
    if hold is None:
        batch.states[full] = engine.update_state(full, reset_alert_quota)
    submit_durably(recorder, batch)()
