"""Runs what people ask for: decides whether they may, queues it, is the host of its run, and settles it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Protocol

from slack_alert.core.commands.answers import CommandProgress, RunState, format_took
from slack_alert.core.commands.arguments import secrets_of
from slack_alert.core.commands.decision import Accepted, Refused
from slack_alert.core.commands.progress import EditBudget
from slack_alert.core.commands.queue import QueuedRun, QueueState, positions, rank, startable
from slack_alert.core.commands.suggestions import BUILT_IN
from slack_alert.core.commands.words import first_word
from slack_alert.core.content.pieces import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Asker
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Result, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.batches import Batch, Snapshot, StartedRun
from slack_alert.engine.commands.answers import Answers, progress_of
from slack_alert.engine.commands.guard_rounds import GuardRound, GuardRounds
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import CancelingExecutor, Clock, People, Recorder
from slack_alert.engine.runs.run_records import joined, log_failure, outcome_of, submit_with_starts
from slack_alert.engine.system.loop_runner import in_own_thread

#: What was written longer ago than this is not run any more.
EXPIRES = timedelta(minutes=10)
#: How long the programs of a canceled run have between SIGTERM and SIGKILL.
CANCEL_GRACE = timedelta(seconds=5)
#: Of so many in a queue the place is told again when it changes, so that a long queue makes few edits.
_NEAR = 3
#: How long after a service did not tell who somebody is it is asked again about what was accepted.
_ASK_AGAIN = timedelta(seconds=10)
#: A run that takes less is told with its end only.
_BRIEF = timedelta(seconds=1)


class Decide(Protocol):
    """Decides about commands."""

    def __call__(self, asked: AskedCommand, asker: Asker, now: datetime) -> Accepted | Refused:
        """Return what is decided about what somebody asks for now."""

    def changed(
        self,
        asked: AskedCommand,
        asker: Asker,
        accepted: Accepted,
        texts: Mapping[str, str | Sequence[str] | None],
    ) -> Accepted | Refused:
        """Return what is decided once guards have changed arguments."""


class Beside(Protocol):
    """What goes on beside the engine's thread; its methods may be called on any thread."""

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        """Begin a coroutine on the main loop."""

    def wake(self, at: datetime, call: Callable[[], object]) -> None:
        """Call at an instant, or a little later, instead of what was to be called before."""


class OpenRun(Struct):
    """A command that was accepted and has not ended."""

    asked: AskedCommand
    accepted: Accepted
    queued: QueuedRun
    #: None: it waits.
    run: Run | None = None
    #: The number of messages about it so far; they edit the first one.
    told: int = 0
    #: How far it was when it was told last.
    shown: object = None
    #: Texts that it has posted on its way.
    texts: tuple[str, ...] = ()
    #: The name of the person who canceled it; empty: nobody.
    canceled_by: str = ""
    #: It was decided about at this moment; what has waited is decided about once more before it runs.
    is_fresh: bool = True
    #: Its turn has come, and it holds its place in the queue while it is decided about once more.
    is_reconsidered: bool = False

    @property
    def number(self) -> int:
        """The number that people type."""
        return self.asked.run


class _Identifying(Struct):
    """A command of which a service is asked who asks for it."""

    asked: AskedCommand
    #: None: that is not known yet.
    asker: Asker | None = None


class Commands:
    """Decides, queues, runs and settles commands; it is the host of their runs.

    What is open is changed on the engine's own thread only; `done`, `say` and `cancel` may be called on any thread.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        executor: CancelingExecutor,
        clock: Clock,
        *,
        decide: Decide,
        people: People,
        limits: Mapping[str, int],
        answers: Answers,
        past: PastRuns,
        budget: EditBudget,
        services: ContextServices,
        beside: Beside,
        guards: GuardRounds,
        redaction: Redaction,
        notice: Callable[[AuditEntry, str], Message | None] = lambda _entry, _command: None,
        subscribers: Callable[[str, int], Sequence[Address]] = lambda _command, _run: (),
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._executor = executor
        self._clock = clock
        self._decide = decide
        self._people = people
        self._limits = limits
        self._answers = answers
        self._past = past
        self._budget = budget
        self._services = services
        self._beside = beside
        self._guards = guards
        #: Hides the secrets among the arguments of what was asked until it has ended.
        self._redaction = redaction
        #: Those whose guards are asked, and those of the same queue that came after them, in order.
        self._in_guard: dict[str | None, deque[_Guarding]] = {}
        #: Makes the message about an entry of the audit that is posted at once; of a command by its name, if known.
        self._notice = notice
        #: Returns who is told when a command starts and ends, and of the end of a run with a number (0: none).
        self._subscribers = subscribers
        #: By the number of the run; later runs join the queue when their time comes.
        self._open: dict[int, OpenRun] = {}
        self._queue = QueueState()
        #: The ids of those that are being decided.
        self._undecided: set[int] = set()
        #: By conversation, in the order in which they came: of whom it is not known yet who asks.
        self._identifying: dict[Address, deque[_Identifying]] = {}
        #: The runs of a former process, and who has canceled one before it was decided on again.
        self._former: set[int] = set()
        self._canceled_early: dict[int, str] = {}
        #: What was accepted, and of which a service does not tell at present who asked; and when it is asked again.
        self._unsure: dict[AskedCommand, datetime] = {}
        self._is_stopped = False
        engine.asked = self._identify
        engine.cancel = self.cancel

    # --- coming in

    def restore(self, snapshot: Snapshot) -> None:
        """Go on with what a former process accepted; runs that it cut off are `interrupted`. Before the engine's."""
        running = {started.run: started for started in snapshot.running}
        for asked in snapshot.asked:
            if asked.run in running:
                self._settle_cut_off(asked, running[asked.run])
        if left := [asked for asked in snapshot.asked if asked.run not in running]:
            self._former = {asked.run for asked in left if asked.run}
            self._beside.begin(self._identify_all(left))

    def _identify(self, asked: AskedCommand) -> None:
        """Decide, once it is known who asks; within a conversation nobody overtakes whose account is not known yet."""
        self._undecided.add(asked.id)
        to = asked.reply_to.to
        if to not in self._identifying and (known := self._people.known(asked.by)) is not None:  # As mostly.
            self._decide_once(_named(asked, known), known)
            return
        one = _Identifying(asked)
        self._identifying.setdefault(to, deque()).append(one)
        self._beside.begin(self._find_out(one))

    async def _find_out(self, one: _Identifying) -> None:
        asker = Asker(one.asked.by, AccountStatus.UNKNOWN)
        try:
            asker = await self._people.asker(one.asked.by)
        finally:
            self._engine.post(partial(self._identified, one, asker))

    def _identified(self, one: _Identifying, asker: Asker) -> None:
        one.asker = asker
        to = one.asked.reply_to.to
        line = self._identifying[to]
        while line and (known := line[0].asker) is not None:
            self._engine.post(partial(self._decide_once, _named(line.popleft().asked, known), known))
        if not line:
            del self._identifying[to]

    async def _identify_all(self, commands: Sequence[AskedCommand]) -> None:
        """Find out who asks, all at once, and decide in the order of the line, then of those that have no place yet."""
        commands = _in_order(commands)
        askers = await asyncio.gather(*[self._people.asker(asked.by) for asked in commands])
        for asked, asker in zip(commands, askers, strict=True):
            self._engine.post(partial(self._decide_once, _named(asked, asker), asker))

    # --- deciding

    def _decide_once(self, asked: AskedCommand, asker: Asker) -> None:
        is_going_on = False
        try:
            is_going_on = self._decide_on(asked, asker)
        finally:
            if not is_going_on:
                self._undecided.discard(asked.id)

    def _decide_on(self, asked: AskedCommand, asker: Asker) -> bool:
        """Decide about a command; return whether its guards are asked first, or it waits for those of others."""
        now = self._clock.now()
        if self._is_stopped:  # The next start goes on with it.
            return False
        if not asked.run and now - asked.at > EXPIRES:
            late = Refused(AuditVerdict.EXPIRED, self._answers.expired_reason(asked, now))
            self._refuse(asked, replace(late, is_silent=asker.standing is AccountStatus.BOT))
            return False
        decided = self._decide(asked, asker, now)
        if isinstance(decided, Refused) and decided.is_uncertain and asked.run:
            self._unsure[asked] = now + _ASK_AGAIN
            return False
        if isinstance(decided, Refused):
            self._take_in(asked, replace(decided, is_silent=asker.standing is AccountStatus.BOT))
            return False
        self._hide(asked, decided)
        guards = self._guards.guards(decided.command)
        queue = decided.command.queue
        if not (guards or self._in_guard.get(queue)):  # As for most commands.
            self._take_in(asked, decided)
            return False
        guarding = _Guarding(asked, queue)
        self._in_guard.setdefault(queue, deque()).append(guarding)

        def again(accepted: Accepted, texts: Mapping[str, str | Sequence[str] | None]) -> Accepted | Refused:
            changed = self._decide.changed(asked, asker, accepted, texts)
            if isinstance(changed, Accepted):
                self._hide(asked, changed)
            return changed

        self._guards.ask(GuardRound(asked, decided, guards, again, partial(self._guarded, guarding)))
        return True

    def _hide(self, asked: AskedCommand, accepted: Accepted) -> None:
        """Take the secrets among the arguments out of all that is said and written from now on."""
        self._redaction.hide(asked.id, secrets_of(accepted.arguments, accepted.command.parameters))

    def _guarded(self, guarding: _Guarding, decided: Accepted | Refused) -> None:
        """Take in what guards have answered, in the order in which it was asked: nothing overtakes within a queue."""
        guarding.decided = decided
        waiting = self._in_guard[guarding.queue]
        is_ordered = guarding.queue is not None
        done = [guarding]
        if is_ordered:
            done = list(takewhile(lambda each: each.decided is not None, waiting))
        for each in done:
            waiting.remove(each)
            self._undecided.discard(each.asked.id)
            if each.decided is not None and not self._is_stopped:  # The next start goes on with it.
                self._take_in(each.asked, each.decided)

    def _take_in(self, asked: AskedCommand, decided: Accepted | Refused) -> None:
        """Queue what may run, and refuse what may not."""
        now = self._clock.now()
        if asked.run and self._is_taken_up(asked.run):
            return
        self._former.discard(asked.run)
        if isinstance(decided, Refused):
            one = self._open.pop(asked.run, None)
            self._refuse(asked, decided, None if one is None else partial(self._release, one))
            return
        is_known = bool(asked.run)
        if is_known:  # A guard may have changed arguments since.
            asked = replace(asked, words=decided.words, again=decided.again)
        else:
            later = decided.not_before if decided.not_before and decided.not_before > now else None
            asked = replace(
                asked,
                run=self._engine.next_id(),
                command=decided.command.name,
                words=decided.words,
                again=decided.again,
                not_before=later,
            )
        one = self._open.get(asked.run)
        if one is None:
            # A former process may have told of it: a message that is there is edited, else one is posted.
            one = OpenRun(asked, decided, _queued(asked, decided), told=int(is_known))
        if one.is_reconsidered:  # The newest version may have another queue, or another lock.
            self._queue = self._queue.remove(one.number)
        one.asked, one.accepted, one.queued = asked, decided, _queued(asked, decided)
        one.is_fresh, one.is_reconsidered = True, False
        self._open[asked.run] = one
        # Without this batch the next start decides again.
        self._enqueue(one, Batch(asked=[] if is_known else [asked], is_repeatable=True))

    def _is_taken_up(self, number: int) -> bool:
        """Return whether a run that was decided about once more stands in line, runs, or has ended by now."""
        one = self._open.get(number)
        if one is None:
            return number not in self._former
        if one.is_reconsidered:
            return False
        return one.run is not None or self._queue.find(number) is not None

    def _refuse(self, asked: AskedCommand, refused: Refused, then: Callable[[], object] | None = None) -> None:
        messages = self._answers.refused(asked, refused)
        entry = self._entry(asked, refused.verdict, refused.reason, words=refused.words, params=refused.params)
        ended = replace(asked, command=asked.command or refused.command)
        self._recorder.submit(self._end_of(ended, messages, entry), then)
        self._redaction.reveal(asked.id)

    def _enqueue(self, one: OpenRun, batch: Batch) -> None:
        """Put a run into its line; its number, and its start or its place, are committed together with the batch."""
        now = self._clock.now()
        if self._queue.find(one.number) is not None:  # It was taken up twice.
            return
        if by := self._canceled_early.pop(one.number, ""):
            self._cancel(one.number, by)
            return
        starting: list[Run] = []
        if one.queued.is_in_line(now):
            self._queue = self._queue.add(one.queued)
            starting = self._take_next(now)
        else:
            self._wake_later()
        one.is_fresh = False
        if one.run is None and not one.told:
            one.told = 1
            one.shown = positions(self._queue.waiting, now).get(one.number)
            batch.messages.append(self._answers.waiting(one.asked, one.queued, self._queue, self._limits, now))
        self._start(starting, batch)

    def _wake_later(self) -> None:
        """Have runs whose time comes decided upon once more."""
        times = [one.asked.not_before for one in self.open if one.run is None and one.asked.not_before]
        if times := [at for at in times if at > self._clock.now()]:
            self._beside.wake(min(times), lambda: self._engine.post(self._take_up_later))

    def _take_up_later(self) -> None:
        now = self._clock.now()
        waiting = [one.asked for one in self.open if one.run is None and self._queue.find(one.number) is None]
        if due := [asked for asked in waiting if asked.not_before and asked.not_before <= now]:
            self._beside.begin(self._identify_all(due))
        self._wake_later()

    # --- running

    def _take_next(self, now: datetime) -> list[Run]:
        """Take what may start now out of the line."""
        if self._is_stopped:
            return []
        starting = startable(self._queue.running, self._queue.waiting, self._limits, now)
        for queued in starting:
            self._queue = self._queue.start(queued.run, now)
        opened = [self._open[queued.run] for queued in starting]
        if stale := [one for one in opened if not one.is_fresh]:
            self._reconsider(stale)
        return [self._begun(one, now) for one in opened if one.is_fresh]

    def _reconsider(self, stale: Sequence[OpenRun]) -> None:
        """Have what has waited decided about once more: its code, its words and its rights may have changed."""
        for one in stale:
            one.is_reconsidered = True
        self._beside.begin(self._identify_all([one.asked for one in stale]))

    def _start(self, runs: Sequence[Run], batch: Batch) -> None:
        """Commit a batch together with the starts of runs, and then call their functions: they never run twice."""
        for run in runs:
            one = self._open[run.id]
            asked = one.asked
            if secrets_of(one.accepted.arguments, one.accepted.command.parameters):
                # It never begins again, so that nobody needs the line as it was typed.
                others = [each for each in batch.asked if each.id != asked.id]
                batch.asked = [*others, replace(asked, text=asked.words)]
            batch.messages += self._answers.told_of(asked, "started", self._subscribers(asked.command, 0))
        if runs:
            submit_with_starts(self._recorder, batch, runs, partial(self._executor.submit, runs, self))
        else:
            self._recorder.submit(batch)

    def _begun(self, one: OpenRun, now: datetime) -> Run:
        command, asked = one.accepted.command, one.asked
        one.queued = replace(one.queued, started=now)
        one.run = Run(
            one.number,
            command.name,
            command.action,
            asked.at,
            asked_by=asked.by.key,
            run_options=command.run_options,
            arguments=one.accepted.arguments,
            by=one.accepted.by,
            reply_to=asked.reply_to.to,
            event=one.accepted.event,
            emits=one.accepted.emits,
        )
        return one.run

    def done(self, run: Run, result: Result) -> None:
        """Settle a run."""
        self._engine.post(partial(self._finish, run, result))

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces in the middle of a run, in the thread of its answer."""
        one = self._open.get(run.id)
        if one is not None and (told := self._answers.said(one.asked, run, pieces, to)):
            one.texts += (self._answers.text(run, pieces),)
            self._recorder.submit(Batch(messages=told))

    def emit(self, run: Run, value: object) -> None:
        """Handle what a sensor noticed that a person ran."""
        self._engine.emit(run, value)

    def context(self, run: Run) -> Context:
        """Return the context of a run."""
        return Context(run, self._services, _CommandHost(self, self._engine))

    def ended(self, run: Run) -> None:
        """End the subprocesses of a run."""
        self._services.children.terminate(run.id)

    def refresh(self) -> None:
        """Tell how far the runs are that take a while; called now and then, on the main loop."""
        now = self._clock.now()
        if again := [asked for asked, at in list(self._unsure.items()) if at <= now]:
            for asked in again:
                self._unsure.pop(asked, None)
            self._beside.begin(self._identify_all(again))
        if self._open:
            self._engine.post(self._tell_progress)

    def _tell_progress(self) -> None:
        now = self._clock.now()
        shown = self._to_show(now)
        changed = [number for number, state in shown.items() if state != self._open[number].shown]
        messages = []
        for one in [self._open[number] for number in self._budget.due(now, changed) if number in shown]:
            messages.append(self._told_again(one, shown[one.number], now))
            one.told += 1
            one.shown = shown[one.number]
        if messages:
            self._recorder.submit(Batch(messages=messages))

    def _to_show(self, now: datetime) -> dict[int, object]:
        """Return what is to be told now of runs that take a while, and of those that are next in line."""
        places = positions(self._queue.waiting, now)
        near: dict[int, object] = {number: place for number, place in places.items() if place <= _NEAR}
        running = {one.number: _shown(one) for one in self.running if now - (one.queued.started or now) >= _BRIEF}
        return {number: state for number, state in (near | running).items() if number in self._open}

    def _told_again(self, one: OpenRun, state: object, now: datetime) -> Message:
        if isinstance(state, int):
            # Numbered by the place, because a former process may have told of the same one.
            edit = _NEAR + 1 - state
            return self._answers.waiting(one.asked, one.queued, self._queue, self._limits, now, edits=edit)
        assert one.run is not None, "it is running"
        edit = _NEAR + one.told if one.told else 0
        return self._answers.running(one.asked, one.queued, one.run, edit, now, one.canceled_by)

    def _finish(self, run: Run, result: Result) -> None:
        one = self._open.pop(run.id, None)
        if one is None:  # It was recorded as interrupted: the program ends.
            return
        if refusal := _refusal(one, result):
            self._settle_refused(one, run, refusal)
            return
        if result.failure is not None and not one.canceled_by:
            log_failure(run, result.failure)
        if one.canceled_by:
            result = result._replace(failure=None)
        state, verdict, audited = _how_it_ended(one, result)
        record = self._record(one, run, result, verdict)
        self._past.add(record)
        self._budget.end(run.id, self._clock.now())
        usage = one.accepted.usage if one.accepted.command.parameters and _is_about_arguments(run, result) else ""
        messages = self._answers.ended(
            one.asked, one.queued, run, result, self._clock.now(),
            state=state, usage=usage, canceled_by=one.canceled_by, is_first=not one.told,
        )  # fmt: skip
        errors_to = one.accepted.command.errors_to
        if result.failure is not None and errors_to is not None and errors_to != one.asked.reply_to.to:
            messages.append(self._answers.failure_to(one.asked, result.failure, errors_to))
        record = record._replace(to=", ".join(dict.fromkeys(message.to.shown for message in messages)) or None)
        entry = self._entry(
            one.asked, audited, duration=result.duration, params=one.accepted.params,
            reason=_joined(result.failure.kind if result.failure is not None else one.canceled_by, one.accepted.remark),
        )  # fmt: skip
        batch = self._end_of(one.asked, messages, entry, record)
        self._recorder.submit(batch, partial(self._release, one))
        self._engine.run_ended(run, result, record.verdict, record.text)
        if not run.progress.is_stuck:  # Else its function may still say them.
            self._redaction.reveal(one.asked.id)

    def _settle_refused(self, one: OpenRun, run: Run, reason: str) -> None:
        """Settle a verb that was asked for something that is not there: nothing failed, and nothing was done."""
        messages = self._answers.refused_by_verb(one.asked, reason, is_first=not one.told)
        entry = self._entry(one.asked, AuditVerdict.REFUSED, reason, params=one.accepted.params)
        record = self._record(one, run, QUIET, Verdict.QUIET)
        self._budget.end(run.id, self._clock.now())
        self._recorder.submit(self._end_of(one.asked, messages, entry, record), partial(self._release, one))
        self._redaction.reveal(one.asked.id)

    def _record(self, one: OpenRun, run: Run, result: Result, verdict: Verdict) -> Record:
        said = joined(one.texts, self._answers.text(run, result.pieces))
        return Record(
            run.id, run.binding, run.slot, verdict, run.progress.started, result.duration, said,
            error=result.failure.traceback if result.failure else None, printed=run.printed,
            asked_by=one.asked.by.key, numbers=result.numbers, usage=result.usage,
            outcome=outcome_of(result, said, said),
        )  # fmt: skip

    def _release(self, one: OpenRun) -> None:
        self._queue = self._queue.remove(one.number)
        if starting := self._take_next(self._clock.now()):
            self._start(starting, Batch())

    # --- canceling, and the end

    def cancel(self, number: int, by: str) -> None:
        """Cancel a run, on any thread: a waiting one at once; a running one is asked to end, and its programs do."""
        self._engine.post(partial(self._cancel, number, by))

    def _cancel(self, number: int, by: str) -> None:
        one = self._open.get(number)
        if one is None and number in self._former:
            self._canceled_early[number] = by
        if one is None or one.canceled_by:
            return
        one.canceled_by = by
        if one.run is not None:
            one.run.progress.is_canceled = True
            for end in (self._executor.cancel, self._terminate):
                self._beside.begin(in_own_thread(partial(end, one.run, grace=CANCEL_GRACE)))
            return
        self._open.pop(number, None)
        # At once: before this is committed, the run before it may end.
        self._queue = self._queue.remove(number)
        messages = self._answers.ended(
            one.asked, one.queued, None, QUIET, self._clock.now(),
            state=RunState.CANCELED, canceled_by=by, is_first=not one.told,
        )  # fmt: skip
        entry = self._entry(
            one.asked, AuditVerdict.CANCELED, params=one.accepted.params, reason=_joined(by, one.accepted.remark)
        )
        record = Record(number, one.asked.command, one.asked.at, Verdict.CANCELED, asked_by=one.asked.by.key)
        batch = self._end_of(one.asked, messages, entry, record)
        self._recorder.submit(batch, partial(self._release, one))
        self._redaction.reveal(one.asked.id)

    def _terminate(self, run: Run, *, grace: timedelta) -> None:
        self._services.children.terminate(run.id, grace=grace)

    def stop(self) -> None:
        """Start no further run; what waits is for the next start."""
        self._is_stopped = True

    @property
    def running(self) -> list[OpenRun]:
        """The runs in progress; may be read on any thread."""
        return [one for one in list(self._open.values()) if one.run is not None]

    @property
    def open(self) -> list[OpenRun]:
        """All that was accepted and has not ended, in that order; may be read on any thread."""
        return sorted(list(self._open.values()), key=lambda one: one.number)  # noqa: C414 - a copy, made at once

    @property
    def is_busy(self) -> bool:
        """Whether something that was asked has not ended; later runs are left to the next start."""
        return bool(self._undecided) or any(one.run is not None or not one.asked.not_before for one in self.open)

    @property
    def queue(self) -> QueueState:
        """What runs, what waits in line, and what is for later, without verbs; may be read on any thread."""
        state = QueueState()
        for one in self.open:
            if not (one.accepted.command.is_reading or one.accepted.command.name.startswith(BUILT_IN)):
                state = state.add(one.queued)
        return state

    @property
    def progress(self) -> Mapping[int, CommandProgress]:
        """How far the runs are, by their numbers; may be read on any thread."""
        return {one.number: progress_of(one.run) for one in self.running if one.run is not None}

    def interrupt(self) -> int:
        """Record the runs that the end of the program cuts off; return their number."""
        cut_off = [one for one in self.running if self._open.pop(one.number, None) is not None]
        for one in cut_off:
            assert one.run is not None, "it is running"
            one.run.progress.is_canceled = True
            started = StartedRun(one.number, one.run.binding, one.run.slot, one.run.progress.started or one.run.slot)
            self._settle_cut_off(one.asked, started, one.run, is_first=not one.told)
        return len(cut_off)

    def _settle_cut_off(
        self, asked: AskedCommand, started: StartedRun, run: Run | None = None, *, is_first: bool = False
    ) -> None:
        """Record a run that was cut off; where nobody knows whether it was told of, its message is edited if any."""
        record = Record(
            started.run, started.binding, started.slot, Verdict.INTERRUPTED, started.started,
            printed=None if run is None else run.printed, asked_by=asked.by.key,
        )  # fmt: skip
        queued = QueuedRun(
            asked.run, asked.command, asked.words, asked.by.key, asked.by.name, None, "", asked.at,
            started=started.started, again=asked.again,
        )  # fmt: skip
        messages = self._answers.ended(
            asked, queued, run, QUIET, self._clock.now(), state=RunState.INTERRUPTED, is_first=is_first
        )
        entry = self._entry(asked, AuditVerdict.INTERRUPTED)
        self._recorder.submit(self._end_of(asked, messages, entry, record))

    def _end_of(self, asked: AskedCommand, messages: Sequence[Message], entry: AuditEntry, *records: Record) -> Batch:
        """Return the batch with which something that was asked has ended."""
        notice = self._notice(entry, asked.command)
        told = [*messages, *([notice] if notice is not None else [])]
        if asked.run:
            subscribers = self._subscribers(asked.command, asked.run)
            took = f" in {format_took(entry.duration)}" if entry.duration is not None else ""
            told += self._answers.told_of(asked, f"{_SAID.get(entry.verdict, entry.verdict)}{took}", subscribers)
        return Batch(records=list(records), messages=told, settled=[asked.id], audit=[entry])

    def _entry(
        self,
        asked: AskedCommand,
        verdict: AuditVerdict,
        reason: str = "",
        *,
        words: str = "",
        duration: timedelta | None = None,
        params: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        to = asked.reply_to.to
        channel = "" if to.channel == "terminal" else to.conversation  # There, who knows it reads the answers.
        return AuditEntry(
            self._clock.now(), asked.by.key, asked.by.name, to.channel, channel, asked.door,
            asked.words or words or first_word(asked.text), params or {}, verdict, reason, asked.run or None, duration,
            ip=asked.ip,
        )  # fmt: skip


class _Guarding(Struct, eq=False):
    """A command that was asked for, and that waits for its guards, or for those of commands before it."""

    asked: AskedCommand
    queue: str | None
    decided: Accepted | Refused | None = None


class _CommandHost:
    """Does what the function of a command asks for through its context."""

    def __init__(self, commands: Commands, engine: Engine) -> None:
        self.say = commands.say
        self.hold = engine.hold
        self.emit_event = engine.emit_event


def _named(asked: AskedCommand, asker: Asker) -> AskedCommand:
    return replace(asked, by=asker.identity) if asker.identity.name else asked


def _in_order(commands: Sequence[AskedCommand]) -> list[AskedCommand]:
    """Return commands in the order of the line; what nothing was decided about stays behind, as it came."""
    placed = [asked for asked in commands if asked.run]
    line = sorted(placed, key=lambda asked: rank(asked.at, asked.not_before, asked.run))
    return [*line, *(asked for asked in commands if not asked.run)]


def _queued(asked: AskedCommand, accepted: Accepted) -> QueuedRun:
    return QueuedRun(
        asked.run, asked.command, asked.words, asked.by.key, asked.by.name, accepted.command.queue, accepted.lock,
        asked.at, asked.not_before, again=asked.again,
    )  # fmt: skip


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


#: The words of an end, where the record has others.
_SAID = {AuditVerdict.RAN: "done"}
#: What a verb raises for words that mean nothing that is there.
_REFUSALS = frozenset({"BadValue", "SettingsError", "SlackAlertError"})


def _refusal(one: OpenRun, result: Result) -> str:
    """Return why a verb was not carried out; empty: it was, or broke."""
    is_verb = one.accepted.command.name.startswith(BUILT_IN)
    failure = result.failure
    return failure.message if is_verb and failure is not None and failure.kind in _REFUSALS else ""


def _how_it_ended(one: OpenRun, result: Result) -> tuple[RunState, Verdict, AuditVerdict]:
    if one.canceled_by:
        return RunState.CANCELED, Verdict.CANCELED, AuditVerdict.CANCELED
    if result.failure is not None:
        return RunState.FAILED, result.failure.verdict, AuditVerdict.FAILED
    is_said = bool(result.pieces or one.texts)
    return RunState.DONE, Verdict.SAID if is_said else Verdict.QUIET, AuditVerdict.RAN


def _shown(one: OpenRun) -> object:
    """Return what is told about how far a run is."""
    if one.run is None:
        return None
    progress = one.run.progress
    output = progress.output
    printed = output and (output.length, output.recent and output.recent.length)
    return progress.fraction, progress.step, printed, one.canceled_by


def _is_about_arguments(run: Run, result: Result) -> bool:
    """Return whether a failure comes from what was typed: the call itself failed, and nothing in the plugin's code."""
    failure, action = result.failure, run.action
    is_of_call = failure is not None and failure.place == f"{action.file}:{action.line}"
    return failure is not None and is_of_call and failure.kind in ("TypeError", "BadValue")
