"""What a plan says at the most: every slot alerts, and hours, quotas and quiet windows hold as they would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.message import Message, job_of
from slack_alert.core.structs import Struct, field
from slack_alert.core.whatif.peak_minutes import PlannedMessage, SteadyMessages, estimate_steady
from slack_alert.engine.batches import Batch
from slack_alert.engine.simulation.doubles import MemoryRecorder, ScriptedExecutor, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation

#: How far ahead one looks: five weeks have every weekday, and the turn of a month.
REACH = timedelta(weeks=5)
#: A job that says more than this is taken to go on like that; for all jobs together it is a matter of seconds.
_MOST = 500
_MOST_OF_ALL = 20_000
_FEWEST = 20
#: A job that runs more often than this is not followed any further: one that runs while it is muted may say little.
_MOST_RUNS = 2_000
_MOST_RUNS_OF_ALL = 100_000
_FEWEST_RUNS = 700
#: So many times as often it may run while quiet windows keep it silent: what it says afterwards is not known yet.
_MUTED = 20
_FIRST_LOOK = timedelta(minutes=2)

Mute = Callable[[str, datetime], str]


class Forecast(Struct):
    """What would be said from `since` on."""

    since: datetime
    said: list[PlannedMessage] = field(default_factory=list)
    #: What is said too often to be looked at one by one.
    steady: list[SteadyMessages] = field(default_factory=list)


def forecast(catalog: Catalog, since: datetime, *, mark: Markup, mute: Mute = lambda _job, _slot: "") -> Forecast:
    """Look ahead, each job for itself: none has a say in what another one says."""
    whole = Forecast(since)
    count = max(1, len(catalog.jobs))
    most = max(_FEWEST, min(_MOST, _MOST_OF_ALL // count))
    most_runs = max(_FEWEST_RUNS, min(_MOST_RUNS, _MOST_RUNS_OF_ALL // count))
    for job in catalog.jobs:
        if job.emits:  # What it returns is said by nobody.
            continue
        notes = _Notes(most, most_runs + job.policy.repeat_policy.after)
        until = _follow(job, since, notes, mark, mute)
        said = notes.said
        if until < since + REACH and said and not _has_fallen_silent(job, said, until):
            whole.steady += estimate_steady(said, until)
        else:
            whole.said += said
    return whole


def said_of(message: Message) -> PlannedMessage | None:
    """Say when, by whom and where something is said; None: no slot caused it."""
    return None if message.slot is None else PlannedMessage(message.slot, job_of(message), message.to)


def _follow(job: Job, since: datetime, notes: _Notes, mark: Markup, mute: Mute) -> datetime:
    """Note what one job says; give up to when that is all it says."""

    def noted(name: str, slot: datetime) -> str:
        reason = mute(name, slot)
        notes.muted += bool(reason)
        return reason

    clock = VirtualClock(since)
    simulation = Simulation(
        Catalog((job,)), clock, ScriptedExecutor({}, mark), mark=mark, ledger=notes, skips=True, mute=noted
    )
    span = _FIRST_LOOK
    simulation.run_until(since + span)
    while span < REACH and not notes.is_full:
        span = min(2 * span, REACH)
        simulation.run_until(since + span)
    return since + span


def _has_fallen_silent(job: Job, said: Sequence[PlannedMessage], until: datetime) -> bool:
    """Return whether a job has said all that it will say: nothing for the longer half, longer than a pause."""
    first = min(one.at for one in said)
    silent = until - max(one.at for one in said)
    waits = (job.policy.pause_time, job.policy.repeat_policy.remind or timedelta())
    return 2 * silent > until - first and silent > max(waits)


class _Notes(MemoryRecorder):
    """Books that keep no more than what a budget is made of."""

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
        """Whether the job is heard often enough to know how it goes on."""
        allowed = self._most_runs + min(self.muted, _MUTED * self._most_runs)
        return len(self.said) > self._most or self._runs > allowed

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Take note of what is said."""
        self._runs += len(batch.records)
        self.said.extend(said for message in batch.messages if (said := said_of(message)) is not None)
        if then is not None:
            then()
