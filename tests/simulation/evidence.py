"""What a seed leaves behind: the product's own record, and the world's, which owes nothing to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from slack_alert.bootstrap.plugin_loading import survey_plugins
from slack_alert.core.bindings import Job
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.record import Record, split_by_job
from slack_alert.engine.batches import HistoryLine, Snapshot
from tests.simulation.options import Options
from tests.simulation.plugins import Call, Stage
from tests.simulation.program import Place

#: A slot that is due when the clock is set may be of the time before or after.
_TURN = timedelta(seconds=1)


@dataclass
class LifeSpan:
    """From when to when a program ran, in microseconds of the world's clock."""

    number: int
    began: int
    #: What the wall clock said at its start.
    at: datetime
    ended: int | None = None
    code: int | None = None
    was_ready: bool = False


@dataclass
class Evidence:
    """All that is known once a seed is over."""

    options: Options
    place: Place
    stage: Stage
    spans: list[LifeSpan]
    edited: Mapping[str, list[int]]
    requested: set[str]
    #: What the wall clock said before and after each time that it was set back.
    set_back: list[tuple[datetime, datetime]]
    now: datetime

    def has(self, *faults: str) -> bool:
        """Return whether any of these faults could happen."""
        return not self.options.faults.isdisjoint(faults)

    def came_twice(self, first: datetime, last: datetime) -> bool:
        """Return whether some of this time came again because the clock was set back."""
        return any(after <= last + _TURN and first <= before for before, after in self.set_back)

    @cached_property
    def lines(self) -> list[HistoryLine]:
        reader = self.place.reader()
        try:
            return list(reader.history(job=None, since=None, limit=None))
        finally:
            reader.close()

    @cached_property
    def records(self) -> dict[str, list[Record]]:
        """The records of each job and rule, by slot."""
        found: dict[str, list[Record]] = {}
        for line in self.lines:
            for record in split_by_job(line.record):
                found.setdefault(record.binding, []).append(record)
        return {name: sorted(records, key=lambda one: one.slot) for name, records in found.items()}

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The jobs that have slots: neither rules nor what waits for an absence."""
        jobs = survey_plugins(self.place.settings).jobs
        return {job.name: job for job in jobs if isinstance(job, Job) and job.rule is None}

    @cached_property
    def snapshot(self) -> Snapshot:
        reader = self.place.reader()
        try:
            return reader.snapshot()
        finally:
            reader.close()

    @cached_property
    def outbox(self) -> list[Delivery]:
        reader = self.place.reader()
        try:
            return list(reader.deliveries())
        finally:
            reader.close()

    @cached_property
    def calls(self) -> dict[tuple[str, datetime], list[Call]]:
        """The calls of each slot, in order."""
        found: dict[tuple[str, datetime], list[Call]] = {}
        for call in self.stage.calls:
            found.setdefault((call.job, call.slot), []).append(call)
        return found

    @cached_property
    def ends(self) -> dict[int, int]:
        """When each life ended, by its number."""
        now = self.place.world.micros
        return {span.number: now if span.ended is None else span.ended for span in self.spans}


def by_itself(evidence: Evidence, name: str) -> list[Record]:
    """Return the records of a job's own slots: nobody asked for those runs."""
    return [one for one in evidence.records.get(name, ()) if one.asked_by is None]


def shown(record: Record) -> str:
    """Return a record as the report of a violation has it."""
    return f"{record.verdict.value} at {record.slot:%d %H:%M:%S.%f}" + (
        f" to {record.until:%d %H:%M:%S}" if record.until else ""
    )
