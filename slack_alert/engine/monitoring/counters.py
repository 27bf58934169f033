"""Counts what is recorded, for those who watch the program by numbers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from slack_alert.core.model.record import Record
from slack_alert.core.structs import Struct, field
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Recorder


class Counts(Struct):
    """What was recorded since the start of the program."""

    #: Slots by job and verdict.
    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: How long the functions of a job have run, in seconds, how often, and the slot of the last run.
    seconds: Counter[str] = field(default_factory=Counter)
    durations: Counter[str] = field(default_factory=Counter)
    last: dict[str, datetime] = field(default_factory=dict)
    #: Attempts to deliver by how they ended.
    deliveries: Counter[str] = field(default_factory=Counter)
    #: Events by name.
    events: Counter[str] = field(default_factory=Counter)


class CountingRecorder:
    """Counts batches and records, and passes them on to another recorder; on any thread."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lock = threading.Lock()
        self._counts = Counts()

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Count what is in the batch, and commit it soon, in order."""
        if batch.records or batch.progress or batch.accepted:
            with self._lock:
                self._count(batch.records)
                self._counts.deliveries.update(one.status.value for one in batch.progress)
                self._counts.events.update(one.event.name for one in batch.accepted)
        self._recorder.submit(batch, then)

    def record_quiet(self, record: Record) -> None:
        """Count a quiet line of history, and write it within a second."""
        with self._lock:
            self._count((record,))
        self._recorder.record_quiet(record)

    def counts(self) -> Counts:
        """Return a copy of what was counted."""
        with self._lock:
            counts = self._counts
            return Counts(
                counts.runs.copy(), counts.seconds.copy(), counts.durations.copy(), counts.last.copy(),
                counts.deliveries.copy(), counts.events.copy(),
            )  # fmt: skip

    def _count(self, records: Iterable[Record]) -> None:
        for record in records:
            for job in record.sharers or (record.binding,):
                self._counts.runs[job, record.verdict.value] += record.count
                if record.duration is not None:
                    self._counts.seconds[job] += record.duration.total_seconds()  # type: ignore[assignment]
                    self._counts.durations[job] += 1
                    self._counts.last[job] = record.slot
