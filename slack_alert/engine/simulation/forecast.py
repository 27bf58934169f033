"""Forecasts the most messages of a plan: every slot alerts, within hours, quotas and quiet windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.message import Message
from slack_alert.core.model.reason import Reason
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.structs import Struct, field
from slack_alert.core.whatif.peak_minutes import PlannedMessage, SteadyMessages, estimate_steady
from slack_alert.engine.batches import Batch
from slack_alert.engine.simulation.doubles import MemoryRecorder, ScriptedExecutor, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation

#: How far the forecast reaches: five weeks have every weekday, and a turn of the month.
REACH = timedelta(weeks=5)
#: A job with more messages is assumed to go on at that rate; the limit for all jobs keeps a forecast to seconds.
_MOST = 500
_MOST_OF_ALL = 20_000
_FEWEST = 20
#: A job with more runs is simulated no further: a job that runs while it is muted may post little.
_MOST_RUNS = 2_000
_MOST_RUNS_OF_ALL = 100_000
_FEWEST_RUNS = 700
#: So many times as many runs are allowed while quiet windows mute it: its messages after them are not known yet.
_MUTED = 20
_FIRST_LOOK = timedelta(minutes=2)


class Forecast(Struct):
    """The messages that would be posted from `since` on."""

    since: datetime
    said: list[PlannedMessage] = field(default_factory=list)
    #: Messages too frequent to be listed individually.
    steady: list[SteadyMessages] = field(default_factory=list)


def forecast(catalog: Catalog, since: datetime, *, mark: Markup, mute: MuteReason = never_muted) -> Forecast:
    """Return the forecast of a catalog; jobs are simulated separately, as none affects the messages of another."""
    whole = Forecast(since)
    count = max(1, len(catalog.jobs))
    most = max(_FEWEST, min(_MOST, _MOST_OF_ALL // count))
    most_runs = max(_FEWEST_RUNS, min(_MOST_RUNS, _MOST_RUNS_OF_ALL // count))
    for job in catalog.jobs:
        if job.emits:  # A sensor's values are not posted.
            continue
        recorder = _ForecastRecorder(most, most_runs + job.policy.repeat_policy.after)
        until = _simulate_job(job, since, recorder, mark, mute)
        said = recorder.said
        if until < since + REACH and said and not _has_fallen_silent(job, said, until):
            whole.steady += estimate_steady(said, until)
        else:
            whole.said += said
    return whole


def planned_message(message: Message) -> PlannedMessage | None:
    """Return the time, job and address of a message; None: no slot caused it."""
    slot = message.origin.slot
    return None if slot is None else PlannedMessage(slot, message.origin.job, message.to)


def _simulate_job(job: Job, since: datetime, recorder: _ForecastRecorder, mark: Markup, mute: MuteReason) -> datetime:
    """Simulate a job into `recorder`; return until when it is complete."""

    def noted(name: str, slot: datetime) -> Reason | None:
        reason = mute(name, slot)
        recorder.muted += bool(reason)
        return reason

    clock = VirtualClock(since)
    simulation = Simulation(
        Catalog((job,)), clock, ScriptedExecutor({}, mark), mark=mark, recorder=recorder, skips=True, mute=noted
    )
    span = _FIRST_LOOK
    simulation.run_until(since + span)
    while span < REACH and not recorder.is_full:
        span = min(2 * span, REACH)
        simulation.run_until(since + span)
    return since + span


def _has_fallen_silent(job: Job, said: Sequence[PlannedMessage], until: datetime) -> bool:
    """Return whether a job posts no more: it has not for the longer half of the time, and longer than a pause."""
    first = min(one.at for one in said)
    silent = until - max(one.at for one in said)
    waits = (job.policy.pause_time, job.policy.repeat_policy.remind or timedelta())
    return 2 * silent > until - first and silent > max(waits)


class _ForecastRecorder(MemoryRecorder):
    """A recorder that keeps only what a forecast needs."""

    def __init__(self, most: int, most_runs: int) -> None:
        super().__init__()
        self.said: list[PlannedMessage] = []
        #: Runs that were muted by the clock or by a person.
        self.muted = 0
        self._runs = 0
        self._most = most
        self._most_runs = most_runs

    @property
    def is_full(self) -> bool:
        """Whether enough messages or runs are known to tell how the job goes on."""
        allowed = self._most_runs + min(self.muted, _MUTED * self._most_runs)
        return len(self.said) > self._most or self._runs > allowed

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Record the messages of a batch."""
        self._runs += len(batch.records)
        self.said.extend(said for message in batch.messages if (said := planned_message(message)) is not None)
        if then is not None:
            then()
