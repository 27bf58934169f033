"""From a slot or an event to a run that is called, or to the row that says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from slack_alert.core.events import Event
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.gate import gate
from slack_alert.engine.batches import Batch
from slack_alert.engine.monitoring.clock_watch import Unseen
from slack_alert.engine.ports import Books, Executor
from slack_alert.engine.runs.event_queues import missing
from slack_alert.engine.runs.job_state import Hot
from slack_alert.engine.runs.missed_slots import Accounts
from slack_alert.engine.runs.overlaps import Crowding
from slack_alert.engine.runs.run_records import put_begun


class Admission:
    """Passes slots and events through the gate, and hands the runs to the executor; `done` takes their results."""

    def __init__(
        self,
        books: Books,
        executor: Executor,
        accounts: Accounts,
        crowding: Crowding,
        *,
        next_id: Callable[[], int],
        done: Callable[[Run, Result], None],
    ) -> None:
        self._books = books
        self._executor = executor
        self._accounts = accounts
        self._crowding = crowding
        self._next_id = next_id
        self._done = done

    def admit(self, hot: Hot, slots: Sequence[datetime], unseen: Unseen | None, accounts: Accounts) -> Run | None:
        """Let the last of the slots run if it may; `unseen` is for those that may have passed unseen."""
        if hot.is_gone:
            return None
        if hot.job.rule is None:
            return self.admit_slot(hot, accounts.late(hot, slots, unseen), unseen, accounts)
        # After the events that came before: on the writer's thread, as they are answered there.
        self._books.put(Batch(), lambda: self.submit(self._admit_due(hot, slots, unseen)))
        return None

    def admit_in_time(self, hots: Iterable[Hot], slot: datetime, accounts: Accounts) -> Iterator[Run | None]:
        """Let a slot run that comes in time, as nearly all do: in one loop over all jobs that have it."""
        for hot in hots:
            if hot.is_gone or hot.job.rule is not None:
                yield self.admit(hot, (slot,), None, accounts)
            else:
                yield self._let(hot, slot, accounts)
                hot.pass_by(slot)

    def start(self, hots: Iterable[Hot], now: datetime) -> None:
        """Let jobs run that run at the start."""
        runs = []
        for hot in hots:
            if hot.job.rule is None:
                runs.append(self.admit_slot(hot, now, None))
            else:
                self.begin_in_turn(partial(self._admit_due, hot, (now,), None))
        self.begin(runs)

    def admit_slot(
        self, hot: Hot, slot: datetime | None, unseen: Unseen | None, accounts: Accounts | None = None
    ) -> Run | None:
        """Let a slot run if it may; with `accounts` these write it down if it may not."""
        if slot is None:
            return None
        run = self._let(hot, slot, accounts or self._accounts)
        hot.pass_by(slot)
        if run is not None and (unseen is not None or hot.job.rule is not None):
            late = unseen.remark(slot, hot.job.zone) if unseen is not None else ""
            run.remark = late if hot.job.rule is None else "; ".join(filter(None, (missing(hot), late)))
        return run

    def react(self, hot: Hot, event: Event) -> None:
        """Let the job answer an event if it may."""
        if (run := self._let(hot, event.at, self._accounts)) is not None:
            run.event = event.fields
            self.submit(run)

    def submit(self, *runs: Run | None) -> None:
        """Have the runs called."""
        if admitted := [run for run in runs if run is not None]:
            self._executor.submit(admitted, self._done)

    def begin(self, runs: Iterable[Run | None], batch: Batch | None = None) -> None:
        """Have the runs called once it is committed that they begin, together with a batch.

        Of a run that nothing else will tell of after a kill: the next start would do without its slot, or would run
        what ends the process again and again.
        """
        if (admitted := [run for run in runs if run is not None]) or batch is not None:
            put_begun(self._books, batch or Batch(), admitted, partial(self.submit, *admitted))

    def begin_in_turn(self, admit: Callable[[], Run | None]) -> None:
        """Do so after the events that came before."""
        self._books.put(Batch(), lambda: self.begin((admit(),)))

    def _admit_due(self, hot: Hot, slots: Sequence[datetime], unseen: Unseen | None) -> Run | None:
        if not all(map(hot.is_due, slots)):
            return None
        run = self.admit_slot(hot, self._accounts.late(hot, slots, unseen), unseen)
        if run is not None and unseen is not None and hot.job.awaits:
            unseen.judged.append(hot.job.name)
        return run

    def _let(self, hot: Hot, at: datetime, accounts: Accounts) -> Run | None:
        """Make the run of a slot or an event if the gate lets it, else account for it."""
        verdict = gate(hot.job, hot.state, at, hold=hot.hold, is_running=hot.run is not None)
        if verdict is Verdict.GO:
            job = hot.job
            hot.run = Run(self._next_id(), job.name, job.action, at, emits=job.emits, care=job.care)
            return hot.run
        accounts.skip(hot, at, verdict)
        if verdict is Verdict.OVERLAPPED:
            self._crowding.overlapped(hot)
        else:
            hot.overlaps = hot.waits = 0
        return None
