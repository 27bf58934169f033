"""The engine: takes due slots, events and requests, hands runs to the executor and records what they cause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import overload

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import PAYLOAD_CODE, Catalog, full_name, payload_fault
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece
from slack_alert.core.events import DEEPEST, AcceptedEvent, Emitted, HookAnswer, HookCall, plain_fields
from slack_alert.core.memo import Memo
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.message import Message, Notice
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.request import Request
from slack_alert.core.model.run import Result, Returned, Run, output_of
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.pipeline.settle import Settlement, settle, was_quiet
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.report.slow_runs import BRIEF
from slack_alert.core.rules.built_in import RUN_FAILED, RUN_SUCCEEDED, STORE_CHANGED
from slack_alert.core.rules.matching import RuleIndex
from slack_alert.core.sensors import noticed_event
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, JobProgress, Snapshot, StoredValue
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.context.emitting import caused_by, emitted_by
from slack_alert.engine.context.key_value import Wait
from slack_alert.engine.durable_values import durably
from slack_alert.engine.monitoring.clock_watch import MissedTicks, TickMonitor
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector
from slack_alert.engine.ports import Clock, Due, Executor, Journal, Recorder, Tick
from slack_alert.engine.requests.apply import apply_request, pause_request
from slack_alert.engine.requests.external_runs import Judge
from slack_alert.engine.requests.hook_calls import HookCalls
from slack_alert.engine.requests.inbound_ids import InboundIds
from slack_alert.engine.runs.admission import Admission
from slack_alert.engine.runs.event_queues import AbsenceWatch, EventQueues
from slack_alert.engine.runs.event_rates import restore_rates
from slack_alert.engine.runs.event_repetitions import dedup_key
from slack_alert.engine.runs.job_state import JobState, create_job_states, replace_jobs
from slack_alert.engine.runs.missed_slots import GatheringRecorder, GroupedRecorder, MissedSlots
from slack_alert.engine.runs.overlaps import Overlaps
from slack_alert.engine.runs.recovery import recover, resumed
from slack_alert.engine.runs.run_events import run_event
from slack_alert.engine.runs.run_messages import RunMessages, with_held_pieces
from slack_alert.engine.runs.run_records import cut_off_record, quiet_record, spoken_record
from slack_alert.engine.runs.value_events import value_events

log = logging.getLogger(__name__)

#: The pack of the entries that name the sensors whose first run is over, of those with `baseline`.
_BASELINES = ".baselines"
#: So many decisions are kept of an event.
_DECISIONS = 200
#: A notice of the program itself: where it comes from (posted once only), the text and the address.
NoticeParts = tuple[Notice, str, Address]


class Engine:
    """Gates, runs and settles the jobs of a catalog, and is the host of their runs: its methods on any thread."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        recorder: Recorder,
        executor: Executor,
        clock: Clock,
        mark: Markup,
        services: ContextServices | None = None,
        journal: Journal | None = None,
        mute: MuteReason = never_muted,
        judge: Judge | None = None,
        slow_runs: SlowRunDetector | None = None,
        has_buttons: bool = False,
    ) -> None:
        self.catalog = catalog
        self._recorder = recorder
        self._clock = clock
        self._mark = mark
        #: The services of the functions' contexts; None where no function is called.
        self._services = services
        #: Keeps what runs return until its settlement is committed; the next start settles it after a kill.
        self._journal = journal
        #: Returns why a job is muted at a slot; None: it is not.
        self._mute = mute
        #: Settles a run that another program started; None: such runs are refused.
        self._judge = judge
        self._job_states: dict[str, JobState] = {}
        #: The states of names that are no job of the catalog, such as external programs.
        self._others: dict[str, State] = {}
        self._rules: Memo[Catalog, RuleIndex[Job]] = Memo(_index_rules)
        #: Whether rules wait for the ends of runs.
        self._tells_successes = self._tells_failures = False
        self._ids, self._event_ids = count(1), count(1)
        self._inbound = InboundIds()
        self._hook_calls = HookCalls()
        #: Takes a command that people asked for, of which the batch was submitted; on the engine's own thread.
        self.asked: Callable[[AskedCommand], None] = _nobody_takes
        #: Cancels a run of a command, on behalf of a person.
        self.cancel: Callable[[int, str], None] = _nothing_to_cancel
        self._has_sensors = False
        #: The sensors that have noted what was there at their first run.
        self._baselines: set[str] = set()
        self.absences = AbsenceWatch()
        self.missed_slots = MissedSlots(recorder)
        #: The slots of one tick that did not run.
        self._passed = GroupedRecorder(recorder)
        self._passed_slots = MissedSlots(self._passed)
        self._messages = RunMessages(recorder, mark, mute, has_buttons=has_buttons)
        self._tick_monitor = TickMonitor(clock)
        self._slow_runs = slow_runs or SlowRunDetector()
        self._overlaps = Overlaps(
            self.notify, lambda: [run for job_state in self.jobs() if (run := job_state.run) is not None]
        )
        self._admission = Admission(
            recorder,
            executor,
            self.missed_slots,
            self._overlaps,
            next_id=self.next_id,
            post=self.post,
            host=self,
        )
        self._queues = EventQueues(
            recorder,
            mark,
            mute,
            next_id=self.next_id,
            now=clock.now,
            post=self.post,
            react=self._admission.react,
        )

    def restore(self, snapshot: Snapshot, now: datetime, since: datetime | None = None) -> None:
        """Restore the jobs from the store's snapshot; the grid of a job never seen before starts now.

        Up to `since` the outcome of every slot is recorded.
        """
        self._ids = count(snapshot.last_run + 1)
        self._event_ids = count(snapshot.last_event + 1)
        self._inbound.restore(snapshot.inbound)
        self._hook_calls.restore(snapshot.entries)
        self._job_states = create_job_states(self.catalog.jobs, snapshot, now)
        self._has_sensors = any(job.is_endless for job in self.catalog.jobs)
        self._baselines = {entry.key for entry in snapshot.entries if entry.pack == _BASELINES}
        restore_rates(self._job_states, snapshot.entries)
        self._note_wanted()
        self._tick_monitor.tick()
        self._others = dict(snapshot.states)
        self.absences.watch(self._job_states.values())
        lost = recover(self._job_states, snapshot, since)
        moved = {*(states := self._rewind(now)), *(record.binding for record in lost)}
        seen = {
            name: job_state.seen
            for name, job_state in self._job_states.items()
            if name not in snapshot.seen or name in moved
        }
        accounted = snapshot.unaccounted_among(self._job_states)
        self._recorder.submit(Batch(states=states, seen=seen, records=lost, running=(), accounted=accounted, at=now))
        self._queues.restore(self._job_states, snapshot.events, snapshot.running)
        for run, result in resumed(self._job_states, snapshot.returned):
            self._finish(run, result)

    def rewind(self, now: datetime) -> None:
        """Continue from an earlier time after the clock was set back, so that nothing waits for the former time."""
        if states := self._rewind(now):
            self._recorder.submit(Batch(states=states, seen={name: self._job_states[name].seen for name in states}))

    def adopt(
        self,
        catalog: Catalog,
        snapshot: Snapshot,
        now: datetime,
        since: datetime | None = None,
        *,
        is_late: bool = False,
    ) -> list[JobState]:
        """Replace the catalog; runs in progress end as they began, also those whose job is gone.

        Return the new jobs. With `is_late` (their file took long to load) the caller has to `catch_up` on them.
        """
        self._job_states, new = replace_jobs(self._job_states, catalog.jobs, snapshot, now, is_late=is_late)
        self.catalog = catalog
        self._has_sensors = any(job.is_endless for job in catalog.jobs)
        self._note_wanted()
        self.absences.watch(self.jobs())
        seen = {job_state.job.name: JobProgress(job_state.anchor) for job_state in self.absences.awaiting}
        if seen := seen | {job_state.job.name: job_state.seen for job_state in new}:
            self._recorder.submit(Batch(seen=seen))
        by_name = {job_state.job.name: job_state for job_state in new}
        restore_rates(by_name, snapshot.entries)
        self._recover_late(by_name, snapshot, since)
        self._queues.restore(by_name, snapshot.events, snapshot.running)
        self._admission.start([job_state for job_state in new if job_state.job.at_start], now)
        return new

    def catch_up(
        self,
        now: datetime,
        since: datetime | None = None,
        *,
        outage: Outage | None = None,
        late: Iterable[JobState] = (),
        make_notice: Callable[[Mapping[str, int]], NoticeParts] | None = None,
    ) -> dict[str, int]:
        """Record the slots that passed before `now`, run those that are still to run, return missed runs by job.

        Up to `since` the program was up: an unseen slot before it did not exist then, the job has changed. The notice
        that `make_notice` returns is committed together with the records, and before the late runs begin.
        """
        missed_ticks, page = MissedTicks.of_outage(outage or Outage(OutageCause.DOWN, since, now)), GatheringRecorder()
        missed_slots, admission = MissedSlots(page), self._admission
        made_up = list(missed_slots.slots_to_make_up(late or self._job_states.values(), missed_ticks, up_since=since))
        runs = [
            admission.admit_slot(job_state, slot, missed_ticks, missed_slots)
            for job_state, slot in made_up
            if job_state.job.rule is None
        ]
        if make_notice is not None and missed_ticks.missed:
            page.batch.messages.append(self._messages.notice(*make_notice(missed_ticks.missed)))
        admission.submit_committed(runs, page.batch if page.batch.records else None)
        for job_state, slot in made_up:
            if job_state.job.rule is not None:
                admission.submit_in_turn(partial(admission.admit_slot, job_state, slot, missed_ticks))
        return missed_ticks.missed

    def release_collected(self) -> None:
        """Run the rules whose time to collect events is over; called now and then."""
        if self._queues.next_release() is not None:
            self.post(self._queues.release)

    def next_release(self) -> datetime | None:
        """Return when the time to collect events is over next, or None where none are collected."""
        return self._queues.next_release()

    def start(self, now: datetime) -> None:
        """Run the jobs with `at_start` that are not running."""
        self._admission.start(
            [job_state for job_state in self.jobs() if job_state.job.at_start and job_state.run is None], now
        )

    @overload
    def handle(self, event: Tick) -> MissedTicks: ...

    @overload
    def handle(
        self, event: Request, then: Callable[[], object] | None = None, *, now: datetime | None = None
    ) -> Batch: ...

    @overload
    def handle(self, event: Emitted, then: Callable[[], object] | None = None) -> Batch: ...

    @overload
    def handle(self, event: AskedCommand, then: Callable[[], object]) -> None: ...

    @overload
    def handle(self, event: HookCall, then: Callable[[HookAnswer], object]) -> None: ...

    def handle(
        self,
        event: Tick | Emitted | Request | AskedCommand | HookCall,
        then: Callable[..., object] | None = None,
        *,
        now: datetime | None = None,
    ) -> MissedTicks | Batch | None:
        """Handle what happens: all that makes jobs run, or changes them, enters here.

        - `Tick`: of each job the last slot may run. Called from a single thread; returns the ticks missed in a stall.
        - `Emitted`: every job whose rule matches answers it, on any thread. It is kept until they have; `then` is
          called once it is, at once where no job wants it. Returns the batch.
        - `Request`: it is applied as `apply` says.
        - `AskedCommand`: it is kept until its run has ended, and `then` is called once it is; on any thread. What came
          before, by another door or once more, changes nothing.
        - `HookCall`: its event is handled, and `then` is called once that is kept, or once it is known that the call
          repeats a former one; on any thread.
        """
        if isinstance(event, Tick):
            return self._run_due(event.due)
        if isinstance(event, Request):
            return self.apply(event, then, now=now)
        if isinstance(event, HookCall):
            assert then is not None, "who calls is answered"
            self.post(partial(self._take_call, event, then))
            return None
        if isinstance(event, AskedCommand):
            assert then is not None, "who asks is told that it is kept"
            self.post(partial(self._take_asked, event, then))
            return None
        return self._handle_emitted(event, Batch(), then)

    def done(self, run: Run, result: Result) -> None:
        """Settle a run; it counts as done once its messages are committed."""
        if run.emits and result.failure is None and self._is_baseline(run):
            self._baselines.add(run.binding)
            self._recorder.submit(Batch(entries=[StoredValue(_BASELINES, run.binding, "true")]))
        if self._journal is None or not result.pieces or not run.is_resumable:
            self._finish(run, result)
            return
        progress = run.progress
        progress.is_kept = self._journal.append(
            Returned(
                run.id, run.binding, run.slot, progress.started, result.duration, result.pieces, result.numbers,
                progress.remarks,
            )
        )  # fmt: skip
        try:
            self._finish(run, result)
        finally:
            if progress.is_kept:  # No batch has taken the entry over: the run is canceled.
                self._journal.release(1)

    def context(self, run: Run) -> Context:
        """Return the context of a run."""
        assert self._services is not None, "functions are called only where they are set"
        context = Context(run, self._services, self)
        if run.emits:
            output_of(run).commit = partial(self._commit_noticed, run)
        return context

    def ended(self, run: Run) -> None:
        """End the subprocesses of a run."""
        if self._services is not None:
            self._services.children.terminate(run.id)

    def emit(self, run: Run, value: object) -> None:
        """Handle the value of a sensor as an event, unless it only notes what is there, or says the same again."""
        if self._is_baseline(run):
            return
        name, fields = noticed_event(run.emits, value)
        event = caused_by(run, Emitted(name, self._clock.now(), fields, by=run.binding))
        if run.progress.output is not None and run.progress.output.commit is not None:
            run.progress.output.held_events.append(event)
            return
        batch = Batch()
        self._recorder.submit(batch, self._accept_noticed(event, batch))

    def emit_event(self, run: Run, name: str, fields: Mapping[str, object]) -> None:
        """Handle what a function emits in the middle of its run."""
        self.handle(emitted_by(run, name, fields, self._clock.now()))

    def wants(self, name: str) -> bool:
        """Return whether a rule waits for a built-in event."""
        return bool(self._rules(self.catalog).named(name))

    def occurred(self, name: str, fields: Mapping[str, object], *, by: str = "", ids: tuple[str, ...] = ()) -> None:
        """Emit a built-in event if a rule waits for it, but not twice with the same id within a day; on any thread."""
        now = self._clock.now()
        if not self.wants(name) or (ids and not self._inbound.claim(ids, now)):
            return
        self._handle_emitted(Emitted(name, now, fields, by=by), Batch(inbound=[(each, now) for each in ids]))

    def run_ended(self, run: Run, result: Result, verdict: Verdict, text: str) -> None:
        """Emit the event of the end of a run if rules wait for such events; on any thread."""
        is_wanted = self._tells_successes if result.failure is None else self._tells_failures
        if is_wanted and (event := run_event(run, result, verdict, text, self._clock.now())) is not None:
            self.handle(event)

    def post(self, call: Callable[[], object]) -> None:
        """Call on the engine's own thread, after all that was posted or submitted before; from any thread, and soon.

        That is the writer's thread, which follows up each commit there: what changes jobs with rules happens in one
        place and in one order, that of the commits, and no lock is needed for it. It must neither block nor take long.
        """
        self._recorder.submit(Batch(), call)

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces in the middle of a run; a run counts as one alert, however often it posts."""
        self._messages.say(self._job_states[run.binding], run, pieces, to)

    def notify(self, origin: Notice, text: str, to: Address) -> None:
        """Post a notice of the program itself; a key is posted once only."""
        self._messages.notify(origin, text, to)

    def apply(
        self, request: Request, then: Callable[[], object] | None = None, *, now: datetime | None = None
    ) -> Batch:
        """Apply a request: it takes effect at once, and is committed soon; `then` is called after that.

        This alone pauses, resumes, mutes and acknowledges jobs, whoever asked: a function, a person, another program.
        Return the batch, for what takes effect outside of the engine.
        """
        if request.kind == "keep" and self._services is not None:
            return self._keep(request, self._services, then)
        batch = apply_request(
            request,
            self.next_id,
            self.update_state,
            self._judge,
            jobs=lambda: [job_state.job.name for job_state in self.jobs()],
            now=now,
        )
        for name, hold in batch.holds.items():
            if name in self._job_states:
                self._job_states[name].hold = hold
                self._job_states[name].is_resumed = hold is None
        if request.kind == "ack":
            batch.messages += [shown for name in batch.states for shown in self._acknowledgement(name)]
        canceled = [partial(self.cancel, number, by) for number, by in batch.canceled]
        followed = [then, *canceled, *(self._accept(event, batch) for event in batch.events)]
        self._recorder.submit(batch, partial(_call_all, followed))
        return batch

    def keep_values(self, entries: Sequence[StoredValue], run: Run | None = None) -> Wait:
        """Commit values that a function has set; return what waits for that. `run`: it answers an event."""
        batch = Batch(entries=[*entries])
        return self._submit_durably(batch, self._accept_changes(batch, run))

    def hold(self, name: str, hold: Pause | None) -> None:
        """Pause or resume (None) the job with a name as people type it; durable when this returns.

        Raise BadValue where there is no such job, and StoreError where the disk accepts no write.
        """
        full = full_name(name, [job_state.job.name for job_state in self.jobs()])
        durably(partial(self.apply, pause_request(full, hold, self._clock.now())))()

    def state_of(self, name: str) -> State:
        """Return the state of a job or an external program; a new state for an unknown name."""
        return self._job_states[name].state if name in self._job_states else self._others.get(name, State())

    def update_state(self, name: str, change: Callable[[State], State]) -> State:
        """Change the state of a job, or of an external program under a name; return the new state."""
        if name in self._job_states:
            return self._job_states[name].update_state(change)
        self._others[name] = change(self._others.get(name, State()))
        return self._others[name]

    def next_id(self) -> int:
        """Return an unused run id."""
        return next(self._ids)

    def jobs(self) -> list[JobState]:
        """Return the states of all jobs in the catalog."""
        return [job_state for job_state in self._job_states.values() if not job_state.is_gone]

    def runs(self) -> list[Run]:
        """Return the runs that are queued, in progress or being recorded."""
        return [
            run
            for job_state in list(self._job_states.values())
            if (run := job_state.run) is not None and not run.progress.is_stuck
        ]

    def stop(self) -> None:
        """Answer no further events: those that wait are for the next start."""
        self._queues.stop()

    @property
    def has_sensors(self) -> bool:
        """Whether there is a sensor that runs for ever."""
        return self._has_sensors

    def begin_sensor(self, name: str, now: datetime) -> Run:
        """Return the run of a sensor that runs for ever, which is that of one process from its start to its end."""
        job_state = self._job_states[name]
        job = job_state.job
        job_state.run = Run(self.next_id(), name, job.action, now, None, None, job.emits, job.run_options)
        job_state.mark_accounted(now)
        return job_state.run

    def end_sensor(self, run: Run, result: Result) -> None:
        """Record the end of such a run with its remarks; nothing is said."""
        job_state = self._job_states[run.binding]
        verdict = Verdict.QUIET if result.failure is None else result.failure.verdict
        record = spoken_record(job_state, run, result, Settlement(job_state.state, verdict))
        self._recorder.submit(Batch(seen={run.binding: job_state.seen_at(run.slot)}, records=[record]))
        if job_state.run is run:
            job_state.run = None

    def most_waiting(self) -> int:
        """Return how many events wait for the job for which most do."""
        return max((len(job_state.events) for job_state in list(self._job_states.values())), default=0)

    def interrupt_runs(self) -> int:
        """Cancel and record the runs that the end of the program cuts off; return their number."""
        cut_off = self.runs()
        for run in cut_off:
            self._messages.say_held(self._job_states[run.binding], run)
            run.progress.is_canceled = True
        records = [cut_off_record(self._job_states[run.binding], run) for run in cut_off]
        seen = {run.binding: self._job_states[run.binding].seen for run in cut_off}
        self._recorder.submit(Batch(seen=seen, records=records, running=()))
        return len(cut_off)

    def _acknowledgement(self, name: str) -> tuple[Message, ...]:
        """Return the messages that show who acknowledged a job's incident; none while it is muted or over."""
        return (
            self._messages.acknowledgement(self._job_states[name], self._clock.now())
            if name in self._job_states
            else ()
        )

    def _note_wanted(self) -> None:
        self._tells_successes, self._tells_failures = self.wants(RUN_SUCCEEDED), self.wants(RUN_FAILED)

    def _recover_late(self, late: Mapping[str, JobState], snapshot: Snapshot, since: datetime | None) -> None:
        """Recover what a kill left of jobs whose file took long to load, or was broken at the start."""
        lost = recover(late, replace(snapshot, returned=tuple(snapshot.returned_by(late))), since, is_late=True)
        self._recorder.submit(Batch(records=lost, accounted=snapshot.unaccounted_among(late)))
        for run, result in resumed(late, snapshot.returned_by(late)):
            self._finish(run, result)

    def _rewind(self, now: datetime) -> dict[str, State]:
        """Discard what jobs hold of times after `now`; return the states of the jobs that changed."""
        if wrong := {name: job_state.state for name, job_state in self._job_states.items() if job_state.rewind(now)}:
            log.warning("the clock was ahead", extra={"now": now.isoformat(), "jobs": len(wrong)})
        return wrong

    def _run_due(self, due: Iterable[Due]) -> MissedTicks:
        missed_ticks = self._tick_monitor.tick()
        admission, missed_slots, runs = self._admission, self._passed_slots, list[Run | None]()
        for names, slots in due:
            job_states = [self._job_states[name] for name in names]
            if missed_ticks.concerns(slots):
                alike = missed_slots.record_shared(job_states, slots, missed_ticks)
                runs += [
                    admission.admit(job_state, slots[-1:] if job_state in alike else slots, missed_ticks, missed_slots)
                    for job_state in job_states
                ]
            else:
                runs += admission.admit_in_time(job_states, slots[0], missed_slots)
        if self._passed.batch.records:
            self._passed.put_all()
        admission.submit(*runs)
        return missed_ticks

    def _take_asked(self, asked: AskedCommand, then: Callable[[], object]) -> None:
        now = self._clock.now()
        if not self._inbound.claim(asked.ids, now):
            self.post(then)  # After the commit of the first one.
            return
        asked = replace(asked, id=next(self._event_ids))
        self._recorder.submit(Batch(asked=[asked], inbound=[(one, now) for one in asked.ids]))
        try:  # What is decided at once is committed together with it.
            self.asked(asked)
        finally:  # Who is told that it is kept finds that something goes on.
            self.post(then)

    def _take_call(self, call: HookCall, then: Callable[[HookAnswer], object]) -> None:
        if (known := self._hook_calls.find(call)) is not None:
            self.post(partial(then, known))  # After the commit of the first one.
            return
        event = replace(call.event, id=next(self._event_ids))
        batch = Batch(entries=self._hook_calls.remember(call, event.id))
        answer = self._accept(event, batch)
        self._recorder.submit(batch, partial(_call_all, (answer, partial(then, HookAnswer(event.id)))))

    def _commit_noticed(self, run: Run, entries: Sequence[StoredValue]) -> Wait | None:
        """Commit what a sensor has noticed together with the values that say how far it has read."""
        output = output_of(run)
        events, output.held_events = output.held_events, []
        if not events and not entries:
            return None
        batch = Batch(entries=[*entries])
        answers = [self._accept_noticed(event, batch) for event in events]
        return self._submit_durably(batch, (*answers, *self._accept_changes(batch, run)))

    def _keep(self, request: Request, services: ContextServices, then: Callable[[], object] | None) -> Batch:
        """Store a value that another process has asked for, in one order with those that functions set."""
        pack = request.payload.get("pack")
        values = services.key_value_store(pack if isinstance(pack, str) else "")
        with values.exclusive():
            batch = apply_request(request, self.next_id, stored=lambda _, key: values.stored_text(key))
            for entry in (each for each in batch.entries if each.pack == pack):
                values.accept(entry)
            self._recorder.submit(batch, partial(_call_all, (then, *self._accept_changes(batch))))
        return batch

    def _accept_changes(self, batch: Batch, run: Run | None = None) -> list[Callable[[], object] | None]:
        """Add the events about the values in a batch if a rule waits for such; return what makes the jobs answer."""
        if not self.wants(STORE_CHANGED):
            return []
        changes = value_events(batch.entries, self._clock.now(), run)
        return [self._accept(event, batch) for event in changes]

    def _submit_durably(self, batch: Batch, answers: Iterable[Callable[[], object] | None]) -> Wait:
        def submit(then: Callable[[], object]) -> Batch:
            self._recorder.submit(batch, partial(_call_all, (then, *answers)))
            return batch

        return durably(submit)

    def _accept_noticed(self, event: Emitted, batch: Batch) -> Callable[[], object] | None:
        """Accept an event of a sensor, unless it says the same again within a day."""
        job_state = self._job_states.get(event.by)
        key = dedup_key(job_state.job, event) if job_state is not None and job_state.job.dedup else None
        if key is not None:
            if not self._inbound.claim((key,), event.at):
                return None
            batch.inbound.append((key, event.at))
        return self._accept(event, batch)

    def _handle_emitted(self, event: Emitted, batch: Batch, then: Callable[[], object] | None = None) -> Batch:
        answer = self._accept(event, batch)
        self._recorder.submit(batch, answer if then is None else partial(_call_all, (answer, then)))
        return batch

    def _accept(self, event: Emitted, batch: Batch) -> Callable[[], object] | None:
        """Add an event to a batch; return what makes the jobs answer it once that is committed, or None for no job."""
        if self.catalog.packs and (fault := payload_fault(self.catalog, event)) is not None:
            self._refuse(event, fault)
            return None
        now = self._clock.now()
        batch.seen.update(self.absences.reset(event, now))
        decided = self._rules(self.catalog).decide(event, now) if event.depth <= DEEPEST else []
        names = tuple(job.name for job, decision in decided if decision.is_matched)
        event = event if event.id else replace(event, id=next(self._event_ids))
        decisions = tuple(decision for _, decision in decided[:_DECISIONS])
        accepted = AcceptedEvent(replace(event, fields=plain_fields(event.fields)), names, decisions)
        (batch.accepted if names else batch.unmatched).append(accepted)
        if not names:
            if event.depth > DEEPEST:
                self._tell_chain(event)
            return None
        return partial(self._queues.enqueue, [self._job_states[name] for name in names], event)

    def _refuse(self, event: Emitted, fault: str) -> None:
        """Tell, once a day, that an event is none because its payload is not as its pack declares it."""
        said = f"{PAYLOAD_CODE} {event.name} is refused: {fault}. The payload is declared in pack.toml, [events]."
        log.warning(said, extra={"job": event.by} if event.by else None)
        if (job_state := self._job_states.get(event.by)) is not None:
            origin = Notice("payload", f"{event.by}/{event.name}/{event.at.date()}")
            self.notify(origin, said, job_state.job.errors_to)

    def _is_baseline(self, run: Run) -> bool:
        """Return whether a run of a sensor is the first one ever that only notes."""
        return self._job_states[run.binding].job.has_baseline and run.binding not in self._baselines

    def _tell_chain(self, event: Emitted) -> None:
        """Tell, once a day, that a chain of events has become too long to go on."""
        said = (
            f"{event.name} (event {event.id}) is answered by no rule: {event.depth} events led to it, and rules "
            f"that emit may wake each other for ever. See `slack-alert explain --event {event.id}`."
        )
        log.warning(said, extra={"job": event.by} if event.by else None)
        if (job_state := self._job_states.get(event.by)) is not None:
            self.notify(Notice("chain", f"{event.by}/{event.name}/{event.at.date()}"), said, job_state.job.errors_to)

    def _finish(self, run: Run, result: Result) -> None:
        progress = run.progress
        if progress.is_canceled and not progress.is_stuck:
            return
        job_state = self._job_states[run.binding]
        progress.has_returned = not progress.is_stuck
        if job_state.overlaps or job_state.waits or job_state.is_told or self._overlaps.is_full:
            self._overlaps.finished(job_state)
        if result.duration > BRIEF or run.binding in self._slow_runs.kept:
            result = self._slow_runs.record_run(run, result)
        job = job_state.job
        if progress.held:
            if result.failure is not None:
                self._messages.say_held(job_state, run)
            job, result = with_held_pieces(job, run, result)
        if was_quiet(job_state.state, progress.posts, result) and job.rule is None and not self._tells_successes:
            self._recorder.record_quiet(quiet_record(job_state, run, result))
            job_state.run = None
            return
        mute, posts = self._mute(run.binding, run.slot), run.posts
        settlement = job_state.settle(lambda state: settle(job, state, posts, result, self._mark, mute=mute))
        batch = Batch(
            states={run.binding: settlement.state},
            seen={run.binding: job_state.seen_at(run.slot)},
            records=[spoken_record(job_state, run, result, settlement)],
            messages=self._messages.of_settlement(settlement),
            answered=job_state.answered(run.id),
            is_kept=progress.is_kept,
        )
        progress.is_kept = False
        if settlement.messages:  # For what a thread that the function has left may still say.
            progress.posts = replace(posts, said=posts.said + len(settlement.messages))
        self._recorder.submit(batch, partial(self._written, job_state, run, settlement.state))
        self.run_ended(run, result, settlement.verdict, settlement.text)

    def _written(self, job_state: JobState, run: Run, state: State) -> None:
        if job_state.state is not state:  # A change made meanwhile may have been committed before this run was.
            self._recorder.submit(Batch(states={run.binding: job_state.state}))
        self._release(job_state, run)

    def _release(self, job_state: JobState, run: Run) -> None:
        """Free the job for its next slot or a waiting event; not while a call that was given up still goes on."""
        if run.progress.is_stuck:
            job_state.is_told = True
            run.progress.released = partial(self.post, partial(self._release, job_state, run))
        if run.progress.is_stuck or job_state.run is not run:  # The call may have returned just now.
            return
        job_state.run = None
        if job_state.job.rule is not None:
            self._queues.run_next(job_state)


def _index_rules(catalog: Catalog) -> RuleIndex[Job]:
    return RuleIndex(catalog.jobs)


def _nobody_takes(asked: AskedCommand) -> None:
    raise AssertionError(f"a program without commands was asked for {asked.text!r}")


def _nothing_to_cancel(run: int, by: str) -> None:
    log.warning("no run to cancel", extra={"run": run, "by": by})


def _call_all(calls: Iterable[Callable[[], object] | None]) -> None:
    for call in calls:
        if call is not None:
            call()
