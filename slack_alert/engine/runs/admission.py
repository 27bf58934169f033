"""Admits slots and events: to a run that is submitted, or to a row with the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from slack_alert.core.events import Emitted
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.gate import gate
from slack_alert.engine.batches import Batch
from slack_alert.engine.monitoring.clock_watch import MissedTicks
from slack_alert.engine.ports import Executor, Recorder, RunHost
from slack_alert.engine.runs.event_queues import absence_remarks
from slack_alert.engine.runs.event_rates import Throttling, throttled
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.missed_slots import MissedSlots
from slack_alert.engine.runs.overlaps import Overlaps
from slack_alert.engine.runs.run_records import submit_with_starts


class Admission:
    """Passes slots and events through the gate, and submits runs to the executor for their host."""

    def __init__(
        self,
        recorder: Recorder,
        executor: Executor,
        missed_slots: MissedSlots,
        overlaps: Overlaps,
        *,
        next_id: Callable[[], int],
        post: Callable[[Callable[[], object]], None],
        host: RunHost,
    ) -> None:
        self._recorder = recorder
        self._executor = executor
        self._missed_slots = missed_slots
        self._overlaps = overlaps
        self._next_id = next_id
        self._post = post
        self._host = host

    def admit(
        self,
        job_state: JobState,
        slots: Sequence[datetime],
        missed_ticks: MissedTicks | None,
        missed_slots: MissedSlots,
    ) -> Run | None:
        """Run the last of the slots if the gate admits it; `missed_ticks` is for slots that may have passed unseen."""
        if job_state.is_gone:
            return None
        if job_state.job.rule is None:
            return self.admit_slot(
                job_state, missed_slots.slot_to_run(job_state, slots, missed_ticks), missed_ticks, missed_slots
            )
        # After the events that came before.
        self._post(lambda: self.submit(self._admit_due(job_state, slots, missed_ticks)))
        return None

    def admit_in_time(
        self, job_states: Iterable[JobState], slot: datetime, missed_slots: MissedSlots
    ) -> Iterator[Run | None]:
        """Run a slot that fires in time, as nearly all do: in one loop over all jobs that share it."""
        for job_state in job_states:
            if job_state.is_gone or job_state.job.rule is not None:
                yield self.admit(job_state, (slot,), None, missed_slots)
            else:
                yield self._admit(job_state, slot, missed_slots)
                job_state.mark_accounted(slot)

    def start(self, job_states: Iterable[JobState], now: datetime) -> None:
        """Run jobs at the start of the program, or of the job."""
        runs = []
        for job_state in job_states:
            if job_state.job.rule is None:
                runs.append(self.admit_slot(job_state, now, None))
            else:
                self.submit_in_turn(partial(self._admit_due, job_state, (now,), None))
        self.submit_committed(runs)

    def admit_slot(
        self,
        job_state: JobState,
        slot: datetime | None,
        missed_ticks: MissedTicks | None,
        missed_slots: MissedSlots | None = None,
    ) -> Run | None:
        """Run a slot if the gate admits it; else it is recorded in `missed_slots`, by default those of the engine."""
        if slot is None:
            return None
        run = self._admit(job_state, slot, missed_slots or self._missed_slots)
        job_state.mark_accounted(slot)
        if run is not None and (missed_ticks is not None or job_state.job.rule is not None):
            late = missed_ticks.remarks(slot, job_state.job.zone) if missed_ticks is not None else ()
            run.progress.remarks = absence_remarks(job_state) + late
        return run

    def react(self, job_state: JobState, events: Sequence[Emitted], at: datetime) -> bool:
        """Run the job for events, as of a moment, if the gate admits it; return whether it did."""
        job = job_state.job
        verdict = gate(job, job_state.state, at, pause=job_state.hold, is_running=job_state.run is not None)
        throttling = throttled(job_state, at) if verdict is Verdict.GO else Throttling()
        if verdict is not Verdict.GO or throttling.reason is not None:
            reasons = None if throttling.reason is None else (throttling.reason,)
            self._missed_slots.record_slot(job_state, at, Verdict.PAUSED if reasons else verdict, reasons)
            return False
        if throttling.kept:
            self._recorder.submit(Batch(entries=[*throttling.kept]))
        is_collected = job.rule is not None and job.rule.collect is not None
        job_state.run = Run(
            self._next_id(), job.name, job.action, at, event={} if is_collected else events[0].fields, emits=job.emits,
            run_options=job.run_options, collected=tuple(event.fields for event in events) if is_collected else (),
            cause=events[-1].id, event_name=events[-1].name, depth=max(event.depth for event in events),
        )  # fmt: skip
        self.submit(job_state.run)
        return True

    def submit(self, *runs: Run | None) -> None:
        """Submit the runs to the executor."""
        if admitted := [run for run in runs if run is not None]:
            self._executor.submit(admitted, self._host)

    def submit_committed(self, runs: Iterable[Run | None], batch: Batch | None = None) -> None:
        """Submit the runs once their start is committed, together with a batch.

        For runs that nothing else would show after a kill: the next start would skip their slots, or would run a
        function that ends the process again and again.
        """
        if (admitted := [run for run in runs if run is not None]) or batch is not None:
            submit_with_starts(self._recorder, batch or Batch(), admitted, partial(self.submit, *admitted))

    def submit_in_turn(self, admit: Callable[[], Run | None]) -> None:
        """Admit and submit a run after the events that came before."""
        self._post(lambda: self.submit_committed((admit(),)))

    def _admit_due(
        self, job_state: JobState, slots: Sequence[datetime], missed_ticks: MissedTicks | None
    ) -> Run | None:
        if not all(map(job_state.is_due, slots)):
            return None
        run = self.admit_slot(job_state, self._missed_slots.slot_to_run(job_state, slots, missed_ticks), missed_ticks)
        if run is not None and missed_ticks is not None and job_state.job.is_absence:
            missed_ticks.late_absences.append(job_state.job.name)
        return run

    def _admit(self, job_state: JobState, at: datetime, missed_slots: MissedSlots) -> Run | None:
        """Return the run of a slot if the gate admits it; else record why not."""
        verdict = gate(job_state.job, job_state.state, at, pause=job_state.hold, is_running=job_state.run is not None)
        if verdict is Verdict.GO:
            job = job_state.job
            # By position: keywords are a third of the cost of making a run.
            job_state.run = Run(self._next_id(), job.name, job.action, at, None, None, job.emits, job.run_options)
            return job_state.run
        missed_slots.record_slot(job_state, at, verdict)
        if verdict is Verdict.OVERLAPPED:
            self._overlaps.overlapped(job_state)
        else:
            job_state.overlaps = job_state.waits = 0
        return None
