"""Slots and requests come in, runs go out to the executor, and what they cause is written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from itertools import count

from slack_alert.core.catalog import Catalog, match
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece
from slack_alert.core.events import Event, fields_of
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.outages import Cause, Lapse
from slack_alert.core.pipeline.settle import settle, was_quiet
from slack_alert.core.policy.quota import Hold, State
from slack_alert.core.report.slow_runs import BRIEF
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, Seen, Snapshot
from slack_alert.engine.monitoring.clock_watch import Unseen, Vigil
from slack_alert.engine.monitoring.slow_runs import Paces
from slack_alert.engine.ports import Books, Clock, Due, Executor
from slack_alert.engine.runs.admission import Admission
from slack_alert.engine.runs.event_queues import Absences, Queues
from slack_alert.engine.runs.job_state import Hot, renewed, take_up
from slack_alert.engine.runs.journaling import resumed
from slack_alert.engine.runs.missed_slots import Accounts, Page, Together
from slack_alert.engine.runs.overlaps import Crowding
from slack_alert.engine.runs.recovery import recover
from slack_alert.engine.runs.run_messages import Speech, gathered
from slack_alert.engine.runs.run_records import cut_off_record, quiet_record, spoken_record

log = logging.getLogger(__name__)

#: What is said on the program's own behalf: the key by which it is said once only, the text, and where.
Telling = tuple[str, str, Address]


class Engine:
    """One gate, one way down; `due` may be called from any one thread, results arrive on any."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        books: Books,
        executor: Executor,
        clock: Clock,
        mark: Markup,
        mute: Callable[[str, datetime], str] = lambda _job, _slot: "",
        paces: Paces | None = None,
    ) -> None:
        self._catalog = catalog
        self._books = books
        self._clock = clock
        self._mark = mark
        #: Says why a job may say nothing at a slot, because somebody wants it so.
        self._mute = mute
        self._hot: dict[str, Hot] = {}
        #: What is remembered of names that are no job here.
        self._others: dict[str, State] = {}
        self._ids = count(1)
        self.absences = Absences()
        self.accounts = Accounts(books)
        self._speech = Speech(books, mark, mute)
        self._vigil = Vigil(clock)
        self._paces = paces or Paces()
        self._crowding = Crowding(self.tell, lambda: [run for hot in self.jobs() if (run := hot.run) is not None])
        self._admission = Admission(
            books, executor, self.accounts, self._crowding, next_id=self.next_id, done=self._finish
        )
        self._queues = Queues(books, mark, mute, next_id=self.next_id, react=self._admission.react)

    def begin(self, snapshot: Snapshot, now: datetime, since: datetime | None = None) -> None:
        """Take up what the store remembers; jobs never seen before start their grid now.

        Up to `since` it was written down what became of each slot.
        """
        self._ids = count(snapshot.last_run + 1)
        self._hot = take_up(self._catalog.jobs, snapshot, now)
        self._vigil.look()
        self._others = dict(snapshot.states)
        self.absences.take_up(self._hot.values())
        lost = recover(self._hot, snapshot, since)
        moved = {*(states := self._rewind(now)), *(record.binding for record in lost)}
        seen = {name: hot.seen for name, hot in self._hot.items() if name not in snapshot.seen or name in moved}
        accounted = list(self._hot)
        self._books.put(Batch(states=states, seen=seen, records=lost, running=(), accounted=accounted, at=now))
        for hot in self.absences.unfinished():
            self._books.put(Batch(), partial(self._queues.go_on, hot))
        for run, result in resumed(self._hot, snapshot.returned):
            self._finish(run, result)

    def rewind(self, now: datetime) -> None:
        """Take up an earlier time after the clock was set back: nothing waits for the time there was before."""
        if states := self._rewind(now):
            self._books.put(Batch(states=states, seen={name: self._hot[name].seen for name in states}))

    def adopt(
        self,
        catalog: Catalog,
        snapshot: Snapshot,
        now: datetime,
        since: datetime | None = None,
        *,
        is_late: bool = False,
    ) -> list[Hot]:
        """Go on with changed jobs; runs that go on end as they began, also those whose job is gone.

        Return the new ones; those that are late, because their file took long to load, are owed a `catch_up`.
        """
        self._hot, new = renewed(self._hot, catalog.jobs, snapshot, now, is_late=is_late)
        self._catalog = catalog
        self.absences.take_up(self.jobs())
        seen = {hot.job.name: Seen(hot.anchor) for hot in self.absences.awaiting}
        if seen := seen | {hot.job.name: hot.seen for hot in new}:
            self._books.put(Batch(seen=seen))
        if is_late:
            self._recover_late({hot.job.name: hot for hot in new}, snapshot, since)
        self._admission.start([hot for hot in new if hot.job.at_start], now)
        return new

    def catch_up(
        self,
        now: datetime,
        since: datetime | None = None,
        *,
        lapse: Lapse | None = None,
        late: Iterable[Hot] = (),
        tell: Callable[[Mapping[str, int]], Telling] | None = None,
    ) -> dict[str, int]:
        """Account for the slots that passed before `now`, run what still should, give the runs missed by job.

        Up to `since` the program was up: a slot of before that nobody saw was none then, the job has changed. What is
        to be told of what was missed is committed with it, and before what still should run begins.
        """
        unseen, page = Unseen.down(lapse or Lapse(Cause.DOWN, since, now)), Page()
        accounts, admission = Accounts(page), self._admission
        made_up = list(accounts.made_up(late or self._hot.values(), unseen, up_since=since))
        runs = [admission.admit_slot(hot, slot, unseen, accounts) for hot, slot in made_up if hot.job.rule is None]
        if tell is not None and unseen.missed:
            page.batch.messages.append(self._speech.notice(*tell(unseen.missed)))
        admission.begin(runs, page.batch if page.batch.records else None)
        for hot, slot in made_up:
            if hot.job.rule is not None:
                admission.begin_in_turn(partial(admission.admit_slot, hot, slot, unseen))
        return unseen.missed

    def start(self, now: datetime) -> None:
        """Run the jobs that run at the start."""
        self._admission.start([hot for hot in self.jobs() if hot.job.at_start and hot.run is None], now)

    def due(self, due: Iterable[Due]) -> Unseen:
        """Take all the slots that are due at once, of each job the last may run; give what was missed in a stall."""
        unseen = self._vigil.look()
        rows, admission = Together(self._books), self._admission
        accounts, runs = Accounts(rows), list[Run | None]()
        for names, slots in due:
            hots = [self._hot[name] for name in names]
            if unseen.concerns(slots):
                alike = accounts.folded_alike(hots, slots, unseen)
                runs += [admission.admit(hot, slots[-1:] if hot in alike else slots, unseen, accounts) for hot in hots]
            else:
                runs += admission.admit_in_time(hots, slots[0], accounts)
        rows.put_all()
        self._admission.submit(*runs)
        return unseen

    def notice(self, event: Event) -> None:
        """Let every job that wants the event answer it; any thread may tell of one."""
        # One after the other, on the writer's thread: two at once would both find a job free.
        moved = self.absences.came(event, self._clock.now())
        self._books.put(Batch(seen=moved), partial(self._answer, event))

    def emit(self, run: Run, value: object) -> None:
        """Take what a sensor noticed."""
        assert run.emits is not None, "only sensors notice"
        self.notice(Event(run.emits, self._clock.now(), fields_of(value)))

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Say something in the middle of a run; a run counts as one alert, however often it speaks."""
        self._speech.say(self._hot[run.binding], run, pieces, to)

    def tell(self, key: str, text: str, to: Address) -> None:
        """Say something on the program's own behalf; the same key is said once only."""
        self._speech.tell(key, text, to)

    def hold(self, name: str, hold: Hold | None) -> None:
        """Pause a job until further notice or an instant, or let it run again (None); an unknown one is left alone."""
        if name in self._hot:
            self._hot[name].hold = hold

    def state_of(self, name: str) -> State:
        """Give what is remembered of a job; of an unknown one nothing is."""
        return self._hot[name].state if name in self._hot else self._others.get(name, State())

    def restate(self, name: str, change: Callable[[State], State]) -> State:
        """Remember something else of a job, or of what is run from outside under a name; give what is remembered."""
        if name in self._hot:
            return self._hot[name].restate(change)
        self._others[name] = change(self._others.get(name, State()))
        return self._others[name]

    def acknowledgement(self, name: str) -> tuple[Message, ...]:
        """Show who takes care of a job's incident, as far as that may be said."""
        return self._speech.acknowledgement(self._hot[name], self._clock.now()) if name in self._hot else ()

    def next_id(self) -> int:
        """Give a run id nobody has."""
        return next(self._ids)

    def jobs(self) -> list[Hot]:
        """Give what is held of every job."""
        return [hot for hot in self._hot.values() if not hot.is_gone]

    def runs(self) -> list[Run]:
        """Give the runs that are queued, going on or being written down."""
        return [run for hot in list(self._hot.values()) if (run := hot.run) is not None and not run.is_stuck]

    def give_up(self) -> int:
        """Record the runs that the end of the program cuts off; give their number."""
        cut_off = self.runs()
        for run in cut_off:
            self._speech.say_held(self._hot[run.binding], run)
            run.is_canceled = True
        records = [cut_off_record(self._hot[run.binding], run) for run in cut_off]
        seen = {run.binding: self._hot[run.binding].seen for run in cut_off}
        self._books.put(Batch(seen=seen, records=records, running=()))
        return len(cut_off)

    def _recover_late(self, late: Mapping[str, Hot], snapshot: Snapshot, since: datetime | None) -> None:
        lost = recover(late, replace(snapshot, returned=tuple(snapshot.returned_by(late))), since, is_late=True)
        self._books.put(Batch(records=lost, accounted=list(late)))
        for run, result in resumed(late, snapshot.returned_by(late)):
            self._finish(run, result)

    def _rewind(self, now: datetime) -> dict[str, State]:
        """Let every job forget what lies after `now`; give what is remembered of those that had to."""
        if wrong := {name: hot.state for name, hot in self._hot.items() if hot.rewind(now)}:
            log.warning("the clock was ahead", extra={"now": now.isoformat(), "jobs": len(wrong)})
        return wrong

    def _answer(self, event: Event) -> None:
        for job in match(self._catalog, event):
            self._queues.take(self._hot[job.name], event)

    def _finish(self, run: Run, result: Result) -> None:
        """Settle a run; it counts as done when what it says is committed."""
        if run.is_canceled and not run.is_stuck:
            return
        hot = self._hot[run.binding]
        run.has_returned = not run.is_stuck
        self._crowding.finished(hot)
        if result.duration > BRIEF or run.binding in self._paces.kept:
            result = self._paces.look(run, result)
        job = hot.job
        if run.held:
            if result.failure is not None:
                self._speech.say_held(hot, run)
            job, result = gathered(job, run, result)
        if was_quiet(hot.state, run, result) and hot.job.rule is None:
            self._books.note(quiet_record(hot, run, result))
            hot.run = None
            return
        mute = self._mute(run.binding, run.slot)
        settlement = hot.settle(lambda state: settle(job, state, run, result, self._mark, mute=mute))
        batch = Batch(
            states={run.binding: settlement.state},
            seen={run.binding: hot.seen_at(run.slot)},
            records=[spoken_record(hot, run, result, settlement)],
            messages=list(settlement.messages),
            is_kept=run.is_kept,
        )
        run.is_kept = False
        self._books.put(batch, partial(self._written, hot, run, settlement.state))

    def _written(self, hot: Hot, run: Run, state: State) -> None:
        if hot.state is not state:  # Whoever changed it meanwhile may have been written down before this run was.
            self._books.put(Batch(states={run.binding: hot.state}))
        self._rest(hot, run)

    def _rest(self, hot: Hot, run: Run) -> None:
        """Let the next slot run, or the next event that came meanwhile; not beside a call that was given up."""
        if run.is_stuck:
            hot.is_told = True
            run.released = partial(self._books.put, Batch(), partial(self._rest, hot, run))
        if run.is_stuck or hot.run is not run:  # It may have returned just now.
            return
        hot.run = None
        if hot.job.rule is not None:
            self._queues.go_on(hot)
