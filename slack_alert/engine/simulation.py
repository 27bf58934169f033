"""Let time pass without waiting: the same engine, on a virtual clock, with nothing but memory behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from slack_alert.core.catalog import Catalog
from slack_alert.core.gaps import gaps
from slack_alert.core.markup import Markup
from slack_alert.core.model import QUIET, Failure, Message, Record, Result, Run, Verdict
from slack_alert.core.pipeline import gate
from slack_alert.core.rows import each, extend
from slack_alert.core.values import pieces
from slack_alert.engine.engine import Engine
from slack_alert.engine.hot import Hot
from slack_alert.engine.ports import Batch, Executor, Snapshot

_TICK = timedelta(microseconds=1)


class VirtualClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._start = start

    def now(self) -> datetime:
        """Give the instant it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Let time pass."""
        self._now = now

    def monotonic(self) -> float:
        """Give the seconds that passed since it began."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.set(self._now + timedelta(seconds=seconds))


class Scripted:
    """An executor that calls nothing: each job does what the script says, an alert where it says nothing."""

    def __init__(self, outcomes: Mapping[str, str], mark: Markup) -> None:
        self._outcomes = outcomes
        self._mark = mark

    def submit(self, runs: Sequence[Run], done: Callable[[Run, Result], None]) -> None:
        """Report the outcomes at once."""
        for run in runs:
            done(run, self._result(run))

    def stop(self) -> None:
        """Do nothing."""

    def _result(self, run: Run) -> Result:
        outcome = self._outcomes.get(run.binding, "alert")
        if outcome == "quiet":
            return QUIET
        if outcome == "error":
            return Result(failure=Failure("Error", "simulated", run.action.file, ""))
        name = run.action.name.rpartition(".")[2]
        return Result(pieces(value=True, mark=self._mark, name=name, doc=run.action.doc))


class Ledger:
    """Books in memory: what a real run would have written."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._rows: list[Record] = []
        #: The place of each job's last row, where it may still grow.
        self._open: dict[str, int] = {}

    def put(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Write it down now."""
        self.messages.extend(batch.messages)
        for record in batch.records:
            self.note(record)
        if then is not None:
            then()

    def note(self, record: Record) -> None:
        """Write it down now; a row of slots that did not run grows."""
        for line in each(record):
            self._write(line)

    def take(self) -> list[Record]:
        """Give the rows written since the last time, by their slots, and begin a new page."""
        rows, self._rows = self._rows, []
        self._open.clear()
        return sorted(rows, key=lambda row: row.slot)

    def _write(self, record: Record) -> None:
        place = self._open.get(record.binding)
        longer = None if place is None else extend(self._rows[place], record)
        if place is not None and longer is not None:
            self._rows[place] = longer
            return
        self._open[record.binding] = len(self._rows)
        self._rows.append(record)


class Simulation:
    """The jobs of a catalog from `start` on, as if first seen then, with nothing remembered.

    With `skips` the slots that cannot run are accounted for in rows without visiting each; what one job does must not
    change another's pauses then.
    """

    def __init__(
        self,
        catalog: Catalog,
        clock: VirtualClock,
        executor: Executor,
        *,
        mark: Markup,
        ledger: Ledger | None = None,
        skips: bool = False,
        mute: Callable[[str, datetime], str] = lambda _job, _slot: "",
    ) -> None:
        self._clock = clock
        self._skips = skips
        self.ledger = ledger or Ledger()
        self.engine = Engine(catalog, books=self.ledger, executor=executor, clock=clock, mark=mark, mute=mute)
        start = clock.now()
        self.engine.begin(Snapshot(), start)
        self._hot = {hot.job.name: hot for hot in self.engine.jobs()}
        self._due = [
            due for order, hot in enumerate(self._hot.values()) if (due := _next(hot, order, _eve(hot, start)))
        ]
        heapify(self._due)
        self._has_begun = False

    def advance(self, by: timedelta) -> list[Message]:
        """Let time pass; give what was said meanwhile. The end itself is not yet reached."""
        before = len(self.ledger.messages)
        self.run_until(self._clock.now() + by)
        return self.ledger.messages[before:]

    def run_until(self, end: datetime) -> None:
        """Let every slot before `end` come due, in their order."""
        if not self._has_begun:
            self._has_begun = True
            self.engine.start(self._clock.now())
        while self._due and self._due[0][0] < end:
            slot, order, name = heappop(self._due)
            self._clock.set(slot)
            if not self._hot[name].is_due(slot):
                if later := _next(self._hot[name], order, slot - _TICK):
                    heappush(self._due, later)
                continue
            if due := _next(self._hot[name], order, self._pass(self._hot[name], slot, end)):
                heappush(self._due, due)
        self._clock.set(end)

    def _pass(self, hot: Hot, slot: datetime, end: datetime) -> datetime:
        """Let a slot come due, or a whole row that cannot run; give the last slot that passed."""
        if self._skips and gate(hot.job, hot.state, slot, hold=hot.hold) is not Verdict.GO:
            rows = gaps(hot.job, hot.state, hot.hold, after=slot - _TICK, until=end - _TICK, anchor=hot.anchor)
            row = next(rows)
            self.engine.accounts.row(hot, row)
            return row.last
        self.engine.due([((hot.job.name,), (slot,))])
        return slot


def _eve(hot: Hot, start: datetime) -> datetime:
    """Begin to look for slots: the start may be one, but a job that runs at the start does so once."""
    return start if hot.job.at_start else start - _TICK


def _next(hot: Hot, order: int, after: datetime) -> tuple[datetime, int, str] | None:
    slot = hot.job.trigger.next_after(after, hot.anchor)
    return None if slot is None else (slot, order, hot.job.name)


def simulate(
    catalog: Catalog,
    since: datetime,
    until: datetime,
    *,
    outcomes: Mapping[str, str],
    mark: Markup,
    mute: Callable[[str, datetime], str] = lambda _job, _slot: "",
    ledger: Ledger | None = None,
) -> Iterator[Record]:
    """Give the history that the time from `since` to `until` (exclusive) would leave, no plugin executed.

    `ledger` keeps the messages.
    """
    clock, executor = VirtualClock(since), Scripted(outcomes, mark)
    simulation = Simulation(catalog, clock, executor, mark=mark, ledger=ledger, skips=True, mute=mute)
    simulation.run_until(until)
    yield from simulation.ledger.take()
