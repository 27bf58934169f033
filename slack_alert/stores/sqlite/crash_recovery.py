"""Find the slots that a killed process may have lost, when its journal is recovered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, JobProgress, UnaccountedSlots


class ReachedSlots:
    """The last recorded slot of each job: in the database, and in the batches recovered so far.

    A message is in the journal at once, while rows of earlier slots may still have waited to be written.
    """

    def __init__(self, seen: Mapping[str, JobProgress]) -> None:
        self._last = {job: each.last or each.first for job, each in seen.items()}

    def with_unaccounted(self, batch: Batch) -> Batch:
        """Return the batch with the unaccounted slots before its rows; only those rows advance its jobs."""
        for job, each in batch.seen.items():
            self._last.setdefault(job, each.first)
        seen = {job: each._replace(last=None) for job, each in batch.seen.items()}
        return replace(batch, seen=seen, unaccounted=list(self._unaccounted(batch)))

    def _unaccounted(self, batch: Batch) -> Iterator[UnaccountedSlots]:
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
