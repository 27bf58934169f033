"""A clock, an executor and a recorder for simulations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import pieces
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record, extend, split_by_job
from slack_alert.core.model.run import QUIET, Failure, Result, Run
from slack_alert.engine.batches import Batch


class VirtualClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._start = start

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Let time pass."""
        self._now = now

    def monotonic(self) -> float:
        """Return the seconds that passed since it began."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.set(self._now + timedelta(seconds=seconds))


class ScriptedExecutor:
    """An executor that calls nothing: each job does what the script says, an alert where it says nothing.

    What a sensor alerts with is an event, of which nobody knows the fields; it is quiet where the script says nothing.
    """

    def __init__(
        self,
        outcomes: Mapping[str, str],
        mark: Markup,
        notice: Callable[[Run, object], None] = lambda _run, _value: None,
    ) -> None:
        self._outcomes = outcomes
        self._mark = mark
        self._notice = notice
        self._said: dict[str, Result] = {}

    def submit(self, runs: Sequence[Run], done: Callable[[Run, Result], None]) -> None:
        """Report the outcomes at once."""
        for run in runs:
            done(run, self._result(run))

    def stop(self) -> None:
        """Do nothing."""

    def _result(self, run: Run) -> Result:
        outcome = self._outcomes.get(run.binding, "alert" if run.emits is None else "quiet")
        if outcome == "quiet":
            return QUIET
        if outcome == "error":
            return Result(failure=Failure("Error", "simulated", run.action.file, ""))
        if run.emits is not None:
            self._notice(run, True)
            return QUIET
        if run.binding not in self._said:
            name = run.action.name.rpartition(".")[2]
            self._said[run.binding] = Result(pieces(value=True, mark=self._mark, name=name, doc=run.action.doc))
        return self._said[run.binding]


class MemoryRecorder:
    """Books in memory: what a real run would have written, the messages only where somebody asks for them."""

    def __init__(self, *, keeps_messages: bool = True) -> None:
        self.messages: list[Message] = []
        self._keeps_messages = keeps_messages
        self._rows: list[Record] = []
        #: The place of each job's last row, where it may still grow.
        self._open: dict[str, int] = {}

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Write it down now."""
        if self._keeps_messages:
            self.messages.extend(batch.messages)
        for record in batch.records:
            self.record_quiet(record)
        if then is not None:
            then()

    def record_quiet(self, record: Record) -> None:
        """Write it down now; a row of slots that did not run grows."""
        for line in split_by_job(record):
            self._write(line)

    def drain(self) -> list[Record]:
        """Return the rows written since the last time, by their slots, and begin a new page."""
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
