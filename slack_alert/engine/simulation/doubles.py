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
from slack_alert.engine.ports import RunHost


class VirtualClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._start = start

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the present instant."""
        self._now = now

    def monotonic(self) -> float:
        """Return the seconds since the start instant."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Advance the clock at once."""
        self.set(self._now + timedelta(seconds=seconds))


class ScriptedExecutor:
    """An executor that calls nothing: jobs have the outcomes of the script, by default an alert.

    An alert of a sensor is an event with unknown fields; by default a sensor is quiet.
    """

    def __init__(self, outcomes: Mapping[str, str], mark: Markup) -> None:
        self._outcomes = outcomes
        self._mark = mark
        self._said: dict[str, Result] = {}

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Report the scripted outcomes at once."""
        for run in runs:
            host.done(run, self._result(run, host))

    def stop(self) -> None:
        """Do nothing."""

    def _result(self, run: Run, host: RunHost) -> Result:
        outcome = self._outcomes.get(run.binding, "alert" if not run.emits else "quiet")
        if outcome == "quiet":
            return QUIET
        if outcome == "error":
            return Result(failure=Failure("Error", "simulated", run.action.file, ""))
        if run.emits:
            host.emit(run, True if len(run.emits) == 1 else (run.emits[0], True))
            return QUIET
        if run.binding not in self._said:
            name = run.action.name.rpartition(".")[2]
            self._said[run.binding] = Result(pieces(value=True, mark=self._mark, name=name, doc=run.action.doc))
        return self._said[run.binding]


class MemoryRecorder:
    """A recorder in memory, for what a real run would write; messages are kept only with `keeps_messages`."""

    def __init__(self, *, keeps_messages: bool = True) -> None:
        self.messages: list[Message] = []
        self._keeps_messages = keeps_messages
        self._rows: list[Record] = []
        #: The index of a job's last row, which may still grow.
        self._open: dict[str, int] = {}

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Record a batch now."""
        if self._keeps_messages:
            self.messages.extend(batch.messages)
        for record in batch.records:
            self.record_quiet(record)
        if then is not None:
            then()

    def record_quiet(self, record: Record) -> None:
        """Record a row now; it may extend the job's last row of slots that did not run."""
        for line in split_by_job(record):
            self._write(line)

    def drain(self) -> list[Record]:
        """Return the rows since the last call, sorted by slot, and forget them."""
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


class TransparentCipher:
    """Encrypts nothing, where values end with the program."""

    def encrypt(self, text: str) -> str:
        """Return the text."""
        return text

    decrypt = encrypt
