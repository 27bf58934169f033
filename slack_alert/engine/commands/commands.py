"""Runs what people ask for: decides whether they may, queues it, is the host of its run, and settles it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.commands.decision import Accepted, Refused
from slack_alert.core.commands.queue import QueuedRun, QueueState, startable
from slack_alert.core.content.pieces import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Asker
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Result, Run
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.batches import Batch, Snapshot, StartedRun
from slack_alert.engine.commands.answers import Answers
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Clock, Executor, People, Recorder
from slack_alert.engine.runs.run_records import joined, log_failure, outcome_of, submit_with_starts
from slack_alert.engine.system.loop_runner import in_own_thread

log = logging.getLogger(__name__)

#: What was written longer ago than this is not run any more.
EXPIRES = timedelta(minutes=10)
#: How long the programs of a canceled run have between SIGTERM and SIGKILL.
CANCEL_GRACE = timedelta(seconds=5)

#: Decides about a command: what was asked, who asks, and now.
Decide = Callable[[AskedCommand, Asker, datetime], Accepted | Refused]


class OpenRun(Struct):
    """A command that was accepted and has not ended."""

    asked: AskedCommand
    accepted: Accepted
    #: None: it waits.
    run: Run | None = None
    #: Texts that it has posted on its way.
    texts: tuple[str, ...] = ()
    #: The name of the person who canceled it.
    canceled_by: str | None = None

    @property
    def number(self) -> int:
        """The number that people type."""
        return self.asked.run


class Commands:
    """Decides, queues, runs and settles commands; it is the host of their runs.

    What is open is changed on the engine's own thread only; `done`, `say` and `cancel` may be called on any thread.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        executor: Executor,
        clock: Clock,
        *,
        decide: Decide,
        people: People,
        limits: Mapping[str, int],
        answers: Answers,
        services: ContextServices,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._executor = executor
        self._clock = clock
        self._decide = decide
        self._people = people
        self._limits = limits
        self._answers = answers
        self._services = services
        self._loop = loop
        #: By the number of the run; later runs join the queue when their time comes.
        self._open: dict[int, OpenRun] = {}
        self._queue = QueueState()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._is_stopped = False
        engine.asked = self._identify_first

    # --- coming in

    def restore(self, snapshot: Snapshot) -> None:
        """Go on with what a former process accepted; runs that it cut off are `interrupted`. Before the engine's."""
        running = {started.run: started for started in snapshot.running}
        cut_off = [asked for asked in snapshot.asked if asked.run in running]
        for asked in cut_off:
            self._settle_cut_off(asked, running[asked.run])
        left = [asked for asked in snapshot.asked if asked.run not in running]
        if left:
            self._aside(self._identify_all(left))

    def _identify_first(self, asked: AskedCommand) -> None:
        """Find out who asks, and decide; called on the engine's own thread."""
        with suppress(RuntimeError):  # The loop is closed: the next start goes on with it.
            self._loop.call_soon_threadsafe(lambda: self._aside(self._identify_all([asked])))

    async def _identify_all(self, commands: Sequence[AskedCommand]) -> None:
        """Find out who asks, all at once, and decide in the order in which they came."""
        askers = await asyncio.gather(*[self._people.asker(asked.by) for asked in commands])
        for asked, asker in zip(commands, askers, strict=True):
            self._engine.post(partial(self._decide_on, asked, asker))

    def _aside(self, coroutine: object) -> None:
        task = self._loop.create_task(coroutine)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- deciding

    def _decide_on(self, asked: AskedCommand, asker: Asker) -> None:
        now = self._clock.now()
        if self._is_stopped:  # The next start goes on with it.
            return
        if now - asked.at > EXPIRES and not asked.run:
            self._refuse(asked, self._answers.expired(asked, now))
            return
        decided = self._decide(asked, asker, now)
        if isinstance(decided, Refused):
            self._refuse(asked, decided)
            return
        is_known = bool(asked.run)
        if not is_known:
            later = decided.not_before if decided.not_before and decided.not_before > now else None
            number = self._engine.next_id()
            asked = replace(asked, run=number, command=decided.command.name, not_before=later)
        one = OpenRun(asked, decided)
        self._open[asked.run] = one
        # Its number is on disk before it starts: a run that is noted as started belongs to it.
        self._recorder.submit(Batch(asked=[] if is_known else [asked]), partial(self._enqueue, one))

    def _refuse(self, asked: AskedCommand, refused: Refused) -> None:
        messages = self._answers.refused(asked, refused)
        entry = self._entry(asked, refused.verdict, refused.reason, params=refused.params)
        self._recorder.submit(Batch(messages=messages, settled=[asked.id], audit=[entry]))

    def _enqueue(self, one: OpenRun) -> None:
        asked, now = one.asked, self._clock.now()
        if asked.not_before is not None and asked.not_before > now:
            self._recorder.submit(Batch(messages=self._answers.later(one.asked, one.accepted, now)))
            self._wake_later()
            return
        self._queue = self._queue.add(self._queued(one))
        self._start_next()
        if one.run is None and one.number in self._open:
            self._recorder.submit(Batch(messages=self._answers.queued(one.asked, one.accepted, self._queue, now)))

    def _queued(self, one: OpenRun) -> QueuedRun:
        asked, command = one.asked, one.accepted.command
        return QueuedRun(
            asked.run,
            command.name,
            one.accepted.words,
            asked.by.key,
            asked.by.name,
            command.queue,
            one.accepted.lock,
            asked.at,
            asked.not_before,
        )

    def _wake_later(self) -> None:
        """Have runs whose time comes decided upon once more; on any thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._set_alarm)

    def _set_alarm(self) -> None:
        now = self._clock.now()
        later = [one.asked for one in list(self._open.values()) if one.asked.not_before and one.run is None]
        at = min((asked.not_before for asked in later if asked.not_before and asked.not_before > now), default=None)
        if self._wake is not None:
            self._wake.cancel()
        if at is not None:
            # In short steps, because the clock may be set.
            seconds = min(60.0, max(0.05, (at - now).total_seconds()))
            self._wake = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        now = self._clock.now()
        due = [
            one.asked
            for one in list(self._open.values())
            if one.run is None and one.asked.not_before and one.asked.not_before <= now
        ]
        fresh = [asked for asked in due if self._queue.find(asked.run) is None]
        if fresh:
            self._aside(self._identify_all(fresh))
        self._set_alarm()

    # --- running

    def _start_next(self) -> None:
        if self._is_stopped:
            return
        now = self._clock.now()
        for queued in startable(self._queue.running, self._queue.waiting, self._limits, now):
            one = self._open[queued.run]
            command = one.accepted.command
            self._queue = self._queue.start(queued.run, now)
            one.run = Run(
                one.number,
                command.name,
                command.action,
                one.asked.at,
                asked_by=one.asked.by.key,
                run_options=command.run_options,
                arguments=one.accepted.arguments,
            )
            # Its start is on disk before its function is called: it never runs twice.
            submit_with_starts(self._recorder, Batch(), [one.run], partial(self._executor.submit, [one.run], self))

    def done(self, run: Run, result: Result) -> None:
        """Settle a run."""
        self._engine.post(partial(self._finish, run, result))

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces in the middle of a run, in the thread of its answer."""
        one = self._open.get(run.id)
        if one is None or (run.progress.is_canceled and one.canceled_by is None):
            return
        told, text = self._answers.said(one.asked, run, pieces, to)
        one.texts += (text,)
        submit_with_starts(self._recorder, Batch(messages=told), [run])

    def emit(self, run: Run, value: object) -> None:
        """Do nothing: a command is no sensor."""
        raise AssertionError(f"{run.binding} is no sensor, and emitted {value!r}")

    def context(self, run: Run) -> Context:
        """Return the context of a run."""
        return Context(run, self._services, self._engine)

    def ended(self, run: Run) -> None:
        """End the subprocesses of a run."""
        self._services.children.terminate(run.id)

    def _finish(self, run: Run, result: Result) -> None:
        one = self._open.pop(run.id, None)
        if one is None:  # It was recorded as interrupted: the program ends.
            return
        if result.failure is not None and one.canceled_by is None:
            log_failure(run, result.failure)
        verdict, audited = self._verdict(one, result)
        messages, text = self._answers.ended(one.asked, one.accepted, run, result, canceled_by=one.canceled_by)
        record = self._record(one, run, result, verdict, text, messages)
        entry = self._entry(one.asked, audited, duration=result.duration, params=one.accepted.params)
        batch = Batch(records=[record], messages=messages, settled=[one.asked.id], audit=[entry])
        self._recorder.submit(batch, partial(self._release, one))

    def _verdict(self, one: OpenRun, result: Result) -> tuple[Verdict, AuditVerdict]:
        if one.canceled_by is not None:
            return Verdict.CANCELED, AuditVerdict.CANCELED
        if result.failure is not None:
            return result.failure.verdict, AuditVerdict.FAILED
        return (Verdict.SAID if result.pieces or one.texts else Verdict.QUIET), AuditVerdict.RAN

    def _record(
        self, one: OpenRun, run: Run, result: Result, verdict: Verdict, text: str, messages: Iterable[Message]
    ) -> Record:
        said = joined(one.texts, text)
        told = ", ".join(dict.fromkeys(message.to.shown for message in messages)) or None
        return Record(
            run.id, run.binding, run.slot, verdict, run.progress.started, result.duration, said, told,
            error=result.failure.traceback if result.failure else None, printed=run.printed,
            asked_by=one.asked.by.key, numbers=result.numbers, usage=result.usage,
            outcome=outcome_of(result, said, said),
        )  # fmt: skip

    def _release(self, one: OpenRun) -> None:
        self._queue = self._queue.remove(one.number)
        self._start_next()

    # --- canceling, and the end

    def cancel(self, number: int, by: str) -> None:
        """Cancel a run, on any thread: a waiting one at once; a running one is asked to end, and its programs do."""
        self._engine.post(partial(self._cancel, number, by))

    def _cancel(self, number: int, by: str) -> None:
        one = self._open.get(number)
        if one is None or one.canceled_by is not None:
            return
        one.canceled_by = by
        if one.run is not None:
            self._end(one.run)
            return
        self._open.pop(number, None)
        run = Run(number, one.accepted.command.name, one.accepted.command.action, one.asked.at)
        messages, _ = self._answers.ended(one.asked, one.accepted, run, QUIET, canceled_by=by)
        entry = self._entry(one.asked, AuditVerdict.CANCELED, params=one.accepted.params)
        record = Record(number, run.binding, one.asked.at, Verdict.CANCELED, asked_by=one.asked.by.key)
        batch = Batch(records=[record], messages=messages, settled=[one.asked.id], audit=[entry])
        self._recorder.submit(batch, partial(self._release, one))

    def _end(self, run: Run) -> None:
        run.progress.is_canceled = True
        output = run.progress.output
        if output is not None and output.cancel is not None:
            self._loop.call_soon_threadsafe(output.cancel)
        end = partial(self._services.children.terminate, run.id, grace=CANCEL_GRACE)
        self._loop.call_soon_threadsafe(lambda: self._aside(in_own_thread(end)))

    def stop(self) -> None:
        """Start no further run; what waits is for the next start."""
        self._is_stopped = True

    @property
    def running(self) -> list[OpenRun]:
        """The runs in progress; may be read on any thread."""
        return [one for one in list(self._open.values()) if one.run is not None]

    @property
    def open(self) -> list[OpenRun]:
        """All that was accepted and has not ended, in the order in which it was; may be read on any thread."""
        return sorted(self._open.values(), key=lambda one: one.number)

    @property
    def queue(self) -> QueueState:
        """What runs and what waits in line."""
        return self._queue

    def interrupt(self) -> int:
        """Record the runs that the end of the program cuts off; return their number."""
        cut_off = [one for one in self.running if self._open.pop(one.number, None) is not None]
        for one in cut_off:
            assert one.run is not None, "it is running"
            one.run.progress.is_canceled = True
            started = StartedRun(one.number, one.run.binding, one.run.slot, one.run.progress.started or one.run.slot)
            self._settle_cut_off(one.asked, started, printed=one.run.printed)
        return len(cut_off)

    def _settle_cut_off(self, asked: AskedCommand, started: StartedRun, printed: str | None = None) -> None:
        record = Record(
            started.run, started.binding, started.slot, Verdict.INTERRUPTED, started.started, printed=printed,
            asked_by=asked.by.key,
        )  # fmt: skip
        messages = self._answers.interrupted(asked)
        entry = self._entry(asked, AuditVerdict.INTERRUPTED)
        self._recorder.submit(Batch(records=[record], messages=messages, settled=[asked.id], audit=[entry]))

    def hold(self, name: str, hold: Pause | None) -> None:
        """Pause or resume (None) a job."""
        self._engine.hold(name, hold)

    def _entry(
        self,
        asked: AskedCommand,
        verdict: AuditVerdict,
        reason: str = "",
        *,
        duration: timedelta | None = None,
        params: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        to = asked.reply_to.to
        return AuditEntry(
            self._clock.now(), asked.by.key, asked.by.name, to.channel, to.conversation, asked.door,
            asked.command or asked.text, params or {}, verdict, reason, asked.run or None, duration,
        )  # fmt: skip
