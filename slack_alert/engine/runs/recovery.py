"""Recovers what a killed process left unwritten: rows of runs it cut off and of slots before them, and results."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Result, Returned, Run, RunProgress
from slack_alert.core.pipeline.missed import missed_ranges
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.runs.job_state import FRESH, JobState
from slack_alert.engine.runs.missed_slots import gap_record
from slack_alert.engine.runs.run_records import interrupted_record

log = logging.getLogger(__name__)

#: The reason of a slot that is `missed` though the program was up, as its outcome is unknown.
_LOST = (Reason(ReasonCode.LOST),)

_Span = tuple[datetime, datetime]


def recover(
    job_states: Mapping[str, JobState], snapshot: Snapshot, since: datetime | None, *, is_late: bool = False
) -> list[Record]:
    """Return the lost rows, and advance the jobs past their slots. Up to `since` all rows were written.

    With `is_late`, runs that were cut off have their rows already. What a missing job returned is kept for it: its
    file may still load, or be fixed.
    """
    rows = [] if is_late else [interrupted_record(each) for each in snapshot.running]
    for one in snapshot.returned:
        if one.binding not in job_states:
            log.warning("a job is gone that had something to say", extra={"job": one.binding, "run": one.run})
    for name, spans in _spans(job_states, snapshot).items():
        rows += _lost_rows(job_states[name], spans, since, _known_slots(name, snapshot))
    for row in rows:
        if row.binding in job_states:
            job_states[row.binding].mark_accounted(row.until or row.slot)
    return rows


def resumed(job_states: Mapping[str, JobState], returned: Iterable[Returned]) -> Iterator[tuple[Run, Result]]:
    """Yield the runs of which a kill left only their return value, as if they had just ended."""
    for one in returned:
        job_state = job_states.get(one.binding)
        if job_state is None:
            continue
        job_state.mark_accounted(one.slot)
        progress = RunProgress(started=one.started, remarks=one.remarks)
        job_state.run = Run(one.run, one.binding, job_state.job.action, one.slot, progress=progress)
        yield job_state.run, Result(one.pieces, None, one.duration, None, one.numbers)


def _spans(job_states: Mapping[str, JobState], snapshot: Snapshot) -> dict[str, list[_Span]]:
    """Return the spans of each job, both ends exclusive, in which rows may be missing."""
    spans: defaultdict[str, list[_Span]] = defaultdict(list)
    for job, after, until in snapshot.unaccounted:
        if job in job_states:
            spans[job].append((after, until))
    for one in snapshot.returned:
        job_state = job_states.get(one.binding)
        if job_state is not None and one.slot > (after := job_state.last or job_state.anchor):
            spans[one.binding].append((after, one.slot))
    return spans


def _known_slots(name: str, snapshot: Snapshot) -> list[datetime]:
    """Return the slots of a job that have a row of their own."""
    running = [each.slot for each in snapshot.running if each.binding == name]
    return sorted([*running, *(one.slot for one in snapshot.returned if one.binding == name)])


def _lost_rows(
    job_state: JobState, spans: list[_Span], since: datetime | None, known: list[datetime]
) -> Iterator[Record]:
    reached = since
    for after, until in sorted(spans, key=lambda span: span[::-1]):  # They may overlap.
        start = after if reached is None else max(after, reached)
        for slot in (*(each for each in known if start < each < until), until):
            yield from _rows_between(job_state, start, slot)
            start = max(start, slot)
        reached = start


def _rows_between(job_state: JobState, after: datetime, until: datetime) -> Iterable[Record]:
    """Yield the rows of the slots in between; quota and pauses of that time are not known any more."""
    if after < until:
        for gap in missed_ranges(job_state.job, FRESH, None, after=after, until=until - TICK, anchor=job_state.anchor):
            row = gap_record(job_state, gap)
            yield row._replace(reasons=_LOST) if gap.verdict is Verdict.MISSED else row
