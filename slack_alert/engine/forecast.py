"""What a plan says at the most: every slot alerts, and hours, quotas and quiet windows hold as they would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.budget import Said, Steady, steady_of
from slack_alert.core.catalog import Catalog
from slack_alert.core.markup import Markup
from slack_alert.core.model import Message
from slack_alert.core.storms import job_of
from slack_alert.engine.ports import Batch
from slack_alert.engine.simulation import Ledger, Scripted, Simulation, VirtualClock

#: How far ahead one looks: five weeks have every weekday, and the turn of a month.
REACH = timedelta(weeks=5)
#: A job that says more than this is taken to go on like that; for all jobs together it is a matter of seconds.
_MOST = 500
_MOST_OF_ALL = 20_000
_FEWEST = 20
_FIRST_LOOK = timedelta(minutes=2)

Mute = Callable[[str, datetime], str]


@dataclass(slots=True)
class Forecast:
    """What would be said from `since` on."""

    since: datetime
    said: list[Said] = field(default_factory=list)
    #: What is said too often to be looked at one by one.
    steady: list[Steady] = field(default_factory=list)


def forecast(catalog: Catalog, since: datetime, *, mark: Markup, mute: Mute = lambda _job, _slot: "") -> Forecast:
    """Look ahead, each job for itself: none has a say in what another one says."""
    whole = Forecast(since)
    most = max(_FEWEST, min(_MOST, _MOST_OF_ALL // max(1, len(catalog.jobs))))
    for job in catalog.jobs:
        said, until = _said_by(job, since, most, mark, mute)
        if until < since + REACH:
            whole.steady += steady_of(said, until)
        else:
            whole.said += said
    return whole


def said_of(message: Message) -> Said | None:
    """Say when, by whom and where something is said; None: no slot caused it."""
    return None if message.slot is None else Said(message.slot, job_of(message), message.to)


def _said_by(job: Job, since: datetime, most: int, mark: Markup, mute: Mute) -> tuple[list[Said], datetime]:
    """Give what one job says, and up to when that is all it says."""
    clock, notes = VirtualClock(since), _Notes()
    simulation = Simulation(Catalog((job,)), clock, Scripted({}, mark), mark=mark, ledger=notes, skips=True, mute=mute)
    span = _FIRST_LOOK
    simulation.run_until(since + span)
    while span < REACH and len(notes.said) <= most:
        span = min(2 * span, REACH)
        simulation.run_until(since + span)
    return notes.said, since + span


class _Notes(Ledger):
    """Books that keep no more than what a budget is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []

    def put(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Take note of what is said."""
        self.said.extend(said for message in batch.messages if (said := said_of(message)) is not None)
        if then is not None:
            then()
