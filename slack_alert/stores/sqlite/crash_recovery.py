"""What a killed process leaves to the next start: what its journal means, and the runs it cut off."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

from slack_alert.core.model.run import Returned
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, JobProgress, StartedRun, UnaccountedSlots
from slack_alert.stores.sql.rows import clean, micros


class ReachedSlots:
    """The last recorded slot of each job: in the database, and in the batches recovered so far.

    A message is in the journal at once, while rows of earlier slots may still have waited to be written.
    """

    def __init__(self, seen: Mapping[str, JobProgress]) -> None:
        self._last = {job: each.last or each.first for job, each in seen.items()}

    def completed(self, batch: Batch) -> Batch:
        """Return the batch with the unaccounted slots before its rows; only those rows advance its jobs."""
        for job, each in batch.seen.items():
            self._last.setdefault(job, each.first)
        seen = {job: each._replace(last=None) for job, each in batch.seen.items()}
        return replace(batch, seen=seen, unaccounted=list(self._spans(batch)))

    def _spans(self, batch: Batch) -> Iterator[UnaccountedSlots]:
        for slot, end, job in sorted(_slots(batch)):
            last = self._last.get(job)
            if last is None or end <= last:
                continue
            if slot > last:
                yield UnaccountedSlots(job, last, slot)
            self._last[job] = end


def _slots(batch: Batch) -> Iterator[tuple[datetime, datetime, str]]:
    for record in batch.records:
        if record.asked_by is None:
            yield record.slot, record.until or record.slot, record.binding
    for started in batch.begun:
        yield started.slot, started.slot, started.binding


class LeftRuns:
    """The runs that go on and what is unaccounted for, in memory."""

    def __init__(self) -> None:
        self._running: dict[int, StartedRun] = {}
        self._returned: dict[int, Returned] = {}
        self.unaccounted: list[UnaccountedSlots] = []

    def apply(self, batch: Batch) -> None:
        """Take over what a batch says of them."""
        if batch.running is not None:
            self._running.clear()
        for started in (*(batch.running or ()), *batch.begun):
            self._running.setdefault(started.run, replace(started, binding=clean(started.binding)))
        for run in batch.ended:
            self._running.pop(run, None)
        for one in batch.returned:
            self._returned.setdefault(one.run, one)
        accounted = set(map(clean, batch.accounted))
        self.unaccounted = [one for one in self.unaccounted if one.job not in accounted]
        self.unaccounted += batch.unaccounted

    def running(self, recorded: Container[int]) -> tuple[StartedRun, ...]:
        """Return the runs that go on, without those that have a record."""
        found = (one for run, one in sorted(self._running.items()) if run not in self._returned)
        return tuple(one for one in found if one.run not in recorded)

    def returned(self, recorded: Container[int]) -> tuple[Returned, ...]:
        """Return what is known of the runs that only returned, without those that have a record."""
        found = sorted(self._returned.values(), key=lambda one: (one.slot, one.run))
        return tuple(one for one in found if one.run not in recorded)

    def forget(self, recorded: Iterable[int], cutoff: int) -> None:
        """Forget the runs that have a record, and what is older than `cutoff` and whose job never came back."""
        self.unaccounted = [one for one in self.unaccounted if micros(one.until) >= cutoff]
        for old in [run for run, one in self._returned.items() if micros(one.slot) < cutoff]:
            del self._returned[old]
        for run in recorded:
            self._running.pop(run, None)
            self._returned.pop(run, None)
