"""Records slots that did not run, and finds which of those that passed unseen still have to run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.pipeline.gate import pause_status
from slack_alert.core.pipeline.missed import FirstSlots, SlotRange, is_unrestricted, missed_ranges, take_catch_up_slot
from slack_alert.core.pipeline.outages import Outage
from slack_alert.core.pipeline.reasons import gate_reason
from slack_alert.core.schedule.triggers import Trigger
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import Batch
from slack_alert.engine.monitoring.clock_watch import MissedTicks
from slack_alert.engine.ports import Recorder
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.run_records import submit_with_starts

#: From so many jobs on, they share a row.
_MANY = 32
#: So many jobs share a row at most.
_TOGETHER = 256


class GatheringRecorder:
    """A recorder that only gathers records into one batch, which its user submits."""

    def __init__(self) -> None:
        self.batch = Batch(is_repeatable=True)

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:  # noqa: ARG002 - no commit
        """Add the rows of a batch."""
        self.batch.records += batch.records
        self.batch.begun += batch.begun

    def record_quiet(self, record: Record) -> None:
        """Add a row."""
        self.batch.records.append(record)


class GroupedRecorder:
    """A recorder that groups batches of one pass: a transaction for every overlapped slot would be too many."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.batch = Batch()
        self._thens: list[Callable[[], object]] = []

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Add the rows of a batch, and the callback of its commit."""
        self.batch.records += batch.records
        self.batch.begun += batch.begun
        if then is not None:
            self._thens.append(then)

    def record_quiet(self, record: Record) -> None:
        """Pass a quiet row on."""
        self._recorder.record_quiet(record)

    def put_all(self) -> None:
        """Submit what was added, and begin a new group."""
        batch, thens, self.batch, self._thens = self.batch, self._thens, Batch(), []
        self._recorder.submit(batch, lambda: [then() for then in thens])


class MissedSlots:
    """Records slots that did not run."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def record_slot(
        self, job_state: JobState, slot: datetime, verdict: Verdict, reasons: tuple[Reason, ...] | None = None
    ) -> None:
        """Record a slot that the gate did not admit; without `reasons`, those of the gate."""
        alerts, until = pause_status(job_state.job, job_state.state, slot, pause=job_state.hold)
        if reasons is None:
            reasons = gate_reason(
                job_state.job, job_state.state, slot, verdict, pause=job_state.hold, former=job_state.run
            )
        record = Record(0, job_state.job.name, slot, verdict, alerts=alerts, paused_until=until, reasons=reasons)
        self._note(record, (job_state,))

    def record_range(self, job_state: JobState, gap: SlotRange, outage: Outage | None = None) -> None:
        """Record a range of slots that were not tried; `outage` is the outage that caused it."""
        self._note(gap_record(job_state, gap, outage), (job_state,))
        job_state.mark_accounted(gap.last)

    def slots_to_make_up(
        self, job_states: Iterable[JobState], missed_ticks: MissedTicks, *, up_since: datetime | None
    ) -> Iterator[tuple[JobState, datetime | None]]:
        """Record the slots that passed while the program was down, and yield those that still run."""
        first, now = FirstSlots(), missed_ticks.outage.until
        for job_state in job_states:
            after = max(
                job_state.last or job_state.anchor, up_since if up_since and up_since <= now else job_state.anchor
            )
            slot = first.after(job_state.job.trigger, after, job_state.anchor)
            if slot is None or slot > now:
                continue
            if job_state.job.at_start:  # Its run at the start replaces the missed slot, and has the slot `now`.
                self.record_stalled(job_state, missed_ticks, first=slot, last=now - TICK)
            else:
                yield (
                    job_state,
                    self.record_passed(job_state, missed_ticks, after=after, until=now, young=job_state.job.catch_up),
                )

    def slot_to_run(
        self, job_state: JobState, slots: Sequence[datetime], missed_ticks: MissedTicks | None
    ) -> datetime | None:
        """Record the slots except for the slot that still runs, and return that: the last, if it is not too old.

        None for `missed_ticks`: there is a single slot, and it is in time. Slots that passed unseen follow the same
        rule as after a downtime.
        """
        if missed_ticks is None:
            return slots[-1]
        if slots[-1] >= missed_ticks.in_time:
            if len(slots) > 1:  # Else they were recorded together with those of other jobs.
                self.record_stalled(job_state, missed_ticks, first=slots[0], last=slots[-1] - TICK)
            return slots[-1]
        return self.record_passed(
            job_state, missed_ticks, after=slots[0] - TICK, until=slots[-1], young=job_state.job.catch_up
        )

    def record_passed(
        self, job_state: JobState, missed_ticks: MissedTicks, *, after: datetime, until: datetime, young: timedelta
    ) -> datetime | None:
        """Record the slots in (after, until] that passed unseen, except for the slot that still runs; return that.

        A slot of the wall clock runs as long as it is younger than `young`.
        """
        young_after = missed_ticks.outage.until - young
        rows = list(_ranges(job_state, after, until))
        rest, slot = take_catch_up_slot(job_state.job, rows, job_state.anchor, young_after=young_after)
        self._write(job_state, rest, missed_ticks)
        return slot

    def record_stalled(
        self, job_state: JobState, missed_ticks: MissedTicks, *, first: datetime, last: datetime
    ) -> None:
        """Record the slots from `first` to `last`, which a stall left without a run."""
        self._write(job_state, _ranges(job_state, first - TICK, last), missed_ticks)

    def record_shared(
        self, job_states: Sequence[JobState], slots: Sequence[datetime], missed_ticks: MissedTicks | None
    ) -> set[JobState]:
        """Record the slots except for the last in shared rows, where they are the same for many jobs.

        Return those jobs. The same jobs are always compared with each other, so that distinct sets of them are few.
        """
        done: set[JobState] = set()
        if missed_ticks is not None and slots[-1] >= missed_ticks.in_time and len(job_states) >= _MANY:
            for start in range(0, len(job_states), _TOGETHER):
                for alike in _alike(job_states[start : start + _TOGETHER]):
                    self._fold_together(alike, missed_ticks, first=slots[0], last=slots[-1] - TICK)
                    done.update(alike)
        return done

    def _fold_together(
        self, alike: Sequence[JobState], missed_ticks: MissedTicks, *, first: datetime, last: datetime
    ) -> None:
        names, like = tuple(job_state.job.name for job_state in alike), alike[0]
        for gap in _ranges(like, first - TICK, last):
            self._note(gap_record(like, gap, missed_ticks.outage)._replace(binding="", sharers=names), alike)
            for job_state in alike:
                job_state.mark_accounted(gap.last)
                missed_ticks.missed[job_state.job.name] = missed_ticks.missed.get(job_state.job.name, 0) + gap.count

    def _note(self, record: Record, job_states: Iterable[JobState]) -> None:
        """Write a row. It advances its jobs past their runs in progress, whose start has to be in the store, too."""
        runs = [run for job_state in job_states if (run := job_state.run) is not None and not run.progress.is_noted]
        if runs:
            submit_with_starts(self._recorder, Batch(records=[record]), runs)
        else:
            self._recorder.record_quiet(record)

    def _write(self, job_state: JobState, rows: Iterable[SlotRange], missed_ticks: MissedTicks) -> None:
        for row in rows:
            self.record_range(job_state, row, missed_ticks.outage)
            if row.verdict is Verdict.MISSED:
                missed_ticks.missed[job_state.job.name] = missed_ticks.missed.get(job_state.job.name, 0) + row.count


def _ranges(job_state: JobState, after: datetime, until: datetime) -> Iterator[SlotRange]:
    job, state, hold = job_state.job, job_state.state, job_state.hold
    return missed_ranges(job, state, hold, after=after, until=until, anchor=job_state.anchor)


def gap_record(job_state: JobState, gap: SlotRange, outage: Outage | None = None) -> Record:
    """Return the row of a range of slots that were not tried."""
    alerts, until = pause_status(job_state.job, job_state.state, gap.first, pause=job_state.hold)
    if gap.verdict is Verdict.MISSED and outage is not None:
        reasons = outage.reason(gap.first, gap.last, job_state.job.zone)
    else:
        reasons = gate_reason(job_state.job, job_state.state, gap.first, gap.verdict, pause=job_state.hold)
    last = gap.last if gap.count > 1 else None
    return Record(
        0, job_state.job.name, gap.first, gap.verdict, alerts=alerts, paused_until=until, count=gap.count, until=last,
        reasons=reasons,
    )  # fmt: skip


def _alike(job_states: Iterable[JobState]) -> Iterator[list[JobState]]:
    """Return groups of many jobs whose slots in a stall have the same rows."""
    found: defaultdict[tuple[datetime, Trigger, tzinfo], list[JobState]] = defaultdict(list)
    for job_state in job_states:
        job = job_state.job
        if is_unrestricted(job, job_state.state, job_state.hold) and job.rule is None and not job_state.is_gone:
            found[job_state.anchor, job.trigger, job.zone].append(job_state)
    return (alike for alike in found.values() if len(alike) >= _MANY)
