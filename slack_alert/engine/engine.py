"""Slots and requests come in, runs go out to the executor, and what they cause is written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from slack_alert.core.catalog import Catalog, full_name, match
from slack_alert.core.events import Event, fields_of
from slack_alert.core.gaps import FirstSlots, Gap, gaps, make_up
from slack_alert.core.markup import Markup
from slack_alert.core.model import Address, Message, Record, Result, Run, Verdict
from slack_alert.core.pipeline import gate, settle, standing, was_quiet
from slack_alert.core.policy import Hold, State, rested
from slack_alert.core.values import Piece, Text
from slack_alert.core.wording import MOST
from slack_alert.engine.crowding import Crowding
from slack_alert.engine.hot import Hot, renewed, take_up
from slack_alert.engine.ports import Batch, Books, Clock, Due, Executor, Snapshot, Started
from slack_alert.engine.records import cut_off_record, interrupted_record, quiet_record, spoken_record

log = logging.getLogger(__name__)

#: So many events wait for one job at most; further ones find it still running.
WAITING = 1000
#: A run shorter than this is never worth a note that it began.
_BRIEF = timedelta(seconds=0.5)
_TICK = timedelta(microseconds=1)


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
    ) -> None:
        self._catalog = catalog
        self._books = books
        self._executor = executor
        self._clock = clock
        self._mark = mark
        #: Says why a job may say nothing at a slot, because somebody wants it so.
        self._mute = mute
        self._hot: dict[str, Hot] = {}
        self._ids = count(1)
        self._crowding = Crowding(self.tell, lambda: [run for hot in self.jobs() if (run := hot.run) is not None])

    def begin(self, snapshot: Snapshot, now: datetime) -> None:
        """Take up what the store remembers; jobs never seen before start their grid now."""
        self._ids = count(snapshot.last_run + 1)
        self._hot = take_up(self._catalog.jobs, snapshot, now)
        lost = [interrupted_record(started) for started in snapshot.running]
        for record in lost:  # A slot that was cut off is accounted for by that, and not missed as well.
            if (cut := self._hot.get(record.binding)) is not None:
                cut.pass_by(record.slot)
        states = self._rewind(now)
        moved = {*states, *(record.binding for record in lost)}
        seen = {name: hot.seen for name, hot in self._hot.items() if name not in snapshot.seen or name in moved}
        self._books.put(Batch(states=states, seen=seen, records=lost, running=(), at=now))

    def rewind(self, now: datetime) -> None:
        """Take up an earlier time after the clock was set back: nothing waits for the time there was before."""
        if states := self._rewind(now):
            self._books.put(Batch(states=states, seen={name: self._hot[name].seen for name in states}))

    def adopt(self, catalog: Catalog, snapshot: Snapshot, now: datetime) -> None:
        """Go on with changed jobs; runs that go on end as they began, also those whose job is gone."""
        self._hot, new = renewed(self._hot, catalog.jobs, snapshot, now)
        self._catalog = catalog
        if new:
            self._books.put(Batch(seen={hot.job.name: hot.seen for hot in new}))
        self.due([([hot.job.name for hot in new if hot.job.at_start], (now,))])

    def catch_up(self, now: datetime, since: datetime | None = None) -> dict[str, int]:
        """Account for the slots that passed before `now`, run what still should, give the runs missed by job.

        Up to `since` the program was up: a slot of before that nobody saw was none then, the job has changed.
        """
        missed: dict[str, int] = {}
        first = FirstSlots()
        for name, hot in self._hot.items():
            after = max(hot.last or hot.anchor, since if since and since <= now else hot.anchor)
            slot = first.after(hot.job.trigger, after, hot.anchor)
            if slot is None or slot > now:
                continue
            rows = list(gaps(hot.job, hot.state, hot.hold, after=after, until=now, anchor=hot.anchor))
            # A job that runs at the start needs no other run for the same reason.
            rest, slot = (rows, None) if hot.job.at_start else make_up(hot.job, rows, hot.anchor)
            for row in rest:
                self.account(hot, row)
                if row.verdict is Verdict.MISSED:
                    missed[name] = missed.get(name, 0) + row.count
            if slot is not None:
                self.due([((name,), (slot,))])
        return missed

    def start(self, now: datetime) -> None:
        """Run the jobs that run at the start."""
        names = [name for name, hot in self._hot.items() if hot.job.at_start and hot.run is None]
        self.due([(names, (now,))])

    def due(self, due: Iterable[Due]) -> None:
        """Take all the slots that are due at once: of each job the last may run, a stall folded the others."""
        self._submit(*(self._admit(self._hot[name], slots) for names, slots in due for name in names))

    def notice(self, event: Event) -> None:
        """Let every job that wants the event answer it; any thread may tell of one."""
        # One after the other, on the writer's thread: two at once would both find a job free.
        self._books.put(Batch(), partial(self._answer, event))

    def emit(self, run: Run, value: object) -> None:
        """Take what a sensor noticed."""
        assert run.emits is not None, "only sensors notice"
        self.notice(Event(run.emits, self._clock.now(), fields_of(value)))

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Say something in the middle of a run; a run counts as one alert, however often it speaks."""
        if run.is_canceled:  # Its record is written.
            return
        if max(run.said, len(run.texts or ())) > MOST:
            run.is_withheld = True
            run.withheld += len(pieces)
            return
        hot = self._hot[run.binding]
        job = hot.job._replace(to=to) if to else hot.job
        settlement = settle(job, hot.state, run, Result(pieces), self._mark, mute=self._mute(run.binding, run.slot))
        run.texts = [*(run.texts or ()), settlement.text]
        run.withheld += settlement.withheld
        if settlement.verdict is Verdict.MUTED:
            run.is_withheld = True
            return
        told = list(settlement.messages)
        run.said += len(told)
        run.told = (*run.told, job.to)
        hot.state = settlement.state
        self._books.put(Batch(states={run.binding: hot.state}, seen={run.binding: hot.seen}, messages=told))

    def tell(self, key: str, text: str, to: Address) -> None:
        """Say something on the program's own behalf; the same key is said once only."""
        # Where the text itself goes to the terminal, the log need not say it a second time.
        level = logging.DEBUG if to.channel == "console" else logging.WARNING
        log.log(level, "told", extra={"to": str(to), "text": text})
        self._books.put(Batch(messages=[Message(key, to, Text(self._mark.escape(text)))]))

    def hold(self, name: str, hold: Hold | None) -> None:
        """Pause a job until further notice or an instant, or let it run again (None); an unknown one is left alone."""
        if name in self._hot:
            self._hot[name].hold = hold

    def state_of(self, name: str) -> State:
        """Give what is remembered of a job; of an unknown one nothing is."""
        return self._hot[name].state if name in self._hot else State()

    def restate(self, name: str, state: State) -> None:
        """Remember something else of a job."""
        if name in self._hot:
            self._hot[name].state = state

    def hold_by_name(self, name: str, hold: Hold | None) -> None:
        """Do as `pause` and `resume` do, for a name a person typed; raise BadValue where there is no such job."""
        full = full_name(name, [hot.job.name for hot in self.jobs()])
        self.hold(full, hold)
        batch = Batch(holds={full: hold})
        if hold is None:
            self.restate(full, rested(self.state_of(full)))
            batch.states[full] = self.state_of(full)
        self._books.put(batch)

    def next_id(self) -> int:
        """Give a run id nobody has."""
        return next(self._ids)

    def jobs(self) -> list[Hot]:
        """Give what is held of every job."""
        return [hot for hot in self._hot.values() if not hot.is_gone]

    def anchors(self) -> dict[str, datetime]:
        """Say when each job was first seen: the start of its grid."""
        return {name: hot.anchor for name, hot in self._hot.items()}

    def runs(self) -> list[Run]:
        """Give the runs that are queued, going on or being written down."""
        return [run for hot in list(self._hot.values()) if (run := hot.run) is not None and not run.is_stuck]

    def started(self, now: datetime) -> tuple[Started, ...]:
        """Give the runs that have been going on, or waiting, for a while, as they are noted against a crash."""
        begun = [(run, run.started or run.slot) for run in self.runs()]
        return tuple(Started(run.id, run.binding, run.slot, at) for run, at in begun if now - at >= _BRIEF)

    def give_up(self) -> int:
        """Record the runs that the end of the program cuts off; give their number."""
        cut_off = self.runs()
        for run in cut_off:
            run.is_canceled = True
        records = [cut_off_record(self._hot[run.binding], run) for run in cut_off]
        seen = {run.binding: self._hot[run.binding].seen for run in cut_off}
        self._books.put(Batch(seen=seen, records=records, running=()))
        return len(cut_off)

    def account(self, hot: Hot, gap: Gap) -> None:
        """Write down a row of slots that did not run."""
        alerts, until = standing(hot.job, hot.state, gap.first, hold=hot.hold)
        last = gap.last if gap.count > 1 else None
        record = Record(
            0, hot.job.name, gap.first, gap.verdict, alerts=alerts, paused_until=until, count=gap.count, until=last
        )
        self._books.note(record)
        hot.pass_by(gap.last)

    def _rewind(self, now: datetime) -> dict[str, State]:
        """Let every job forget what lies after `now`; give what is remembered of those that had to."""
        wrong = {name: hot.state for name, hot in self._hot.items() if hot.rewind(now)}
        if wrong:
            log.warning("the clock was ahead", extra={"now": now.isoformat(), "jobs": len(wrong)})
        return wrong

    def _answer(self, event: Event) -> None:
        for job in match(self._catalog, event):
            hot = self._hot[job.name]
            if len(hot.events) < WAITING:
                hot.events.append(event)
            else:
                self._books.note(Record(0, job.name, event.at, Verdict.OVERLAPPED))
            self._take_event(hot)

    def _take_event(self, hot: Hot) -> None:
        """Let the job answer the next event, when it is free."""
        while hot.run is None and hot.events:
            event = hot.events.popleft()
            verdict = gate(hot.job, hot.state, event.at, hold=hot.hold)
            if verdict is Verdict.GO:
                hot.run = self._run(hot, event.at)
                hot.run.event = event.fields
                self._submit(hot.run)
            else:
                self._skip(hot, event.at, verdict)

    def _admit(self, hot: Hot, slots: Sequence[datetime]) -> Run | None:
        if hot.is_gone:
            return None
        if hot.job.rule is None:
            return self._admit_slots(hot, slots)
        self._books.put(Batch(), lambda: self._submit(self._admit_slots(hot, slots)))
        return None

    def _submit(self, *runs: Run | None) -> None:
        if admitted := [run for run in runs if run is not None]:
            self._executor.submit(admitted, self._finish)

    def _run(self, hot: Hot, at: datetime) -> Run:
        return Run(next(self._ids), hot.job.name, hot.job.action, at, emits=hot.job.emits, care=hot.job.care)

    def _admit_slots(self, hot: Hot, slots: Sequence[datetime]) -> Run | None:
        """Let the last slot run if it may, and account for the others."""
        slot = slots[-1]
        if len(slots) > 1:
            folded = gaps(hot.job, hot.state, hot.hold, after=slots[0] - _TICK, until=slots[-2], anchor=hot.anchor)
            for row in folded:
                self.account(hot, row)
        verdict = gate(hot.job, hot.state, slot, hold=hot.hold, is_running=hot.run is not None)
        hot.last = slot
        if verdict is not Verdict.GO:
            self._skip(hot, slot, verdict)
            return None
        hot.run = self._run(hot, slot)
        return hot.run

    def _finish(self, run: Run, result: Result) -> None:
        """Settle a run; it counts as done when what it says is committed."""
        if run.is_canceled and not run.is_stuck:
            return
        hot = self._hot[run.binding]
        self._crowding.finished(hot)
        if was_quiet(hot.state, run, result) and hot.job.rule is None:
            self._books.note(quiet_record(hot, run, result))
            hot.run = None
            return
        settlement = settle(hot.job, hot.state, run, result, self._mark, mute=self._mute(run.binding, run.slot))
        hot.state = settlement.state
        batch = Batch(
            states={run.binding: settlement.state},
            seen={run.binding: hot.seen},
            records=[spoken_record(hot, run, result, settlement)],
            messages=list(settlement.messages),
        )
        self._books.put(batch, partial(self._rest, hot, run))

    def _rest(self, hot: Hot, run: Run) -> None:
        """Let the next slot run, or the next event that came meanwhile; not beside a call that was given up."""
        if run.is_stuck:
            hot.is_told = True
            run.released = partial(self._books.put, Batch(), partial(self._rest, hot, run))
        if run.is_stuck or hot.run is not run:  # It may have returned just now.
            return
        hot.run = None
        if hot.job.rule is not None:
            self._take_event(hot)

    def _skip(self, hot: Hot, slot: datetime, verdict: Verdict) -> None:
        alerts, until = standing(hot.job, hot.state, slot, hold=hot.hold)
        self._books.note(Record(0, hot.job.name, slot, verdict, alerts=alerts, paused_until=until))
        if verdict is Verdict.OVERLAPPED:
            self._crowding.overlapped(hot)
        else:
            hot.overlaps = 0
