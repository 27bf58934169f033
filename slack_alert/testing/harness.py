"""Run a catalog in memory on a virtual clock, and collect its messages as people read them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from uuid import uuid4

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.pieces import Piece, fallback
from slack_alert.core.events import Emitted
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, MessageSeverity
from slack_alert.core.model.record import Record, split_by_job
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.settle import settle_asked
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import Batch
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.context.key_value import key_value_stores
from slack_alert.engine.runs.asked_run import AskedRunHost
from slack_alert.engine.simulation.doubles import MemoryRecorder, TransparentCipher
from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.output import captured
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import DirectExecutor
from slack_alert.loader import OptionDefaults
from slack_alert.testing.manual_clock import FakeClock


@dataclass(frozen=True, slots=True)
class Said:
    """A message as people read it."""

    text: str
    #: `#ops`, `@ann`, an id.
    to: str
    job: str
    #: The due time of the run that posted it, in the job's time zone.
    at: datetime
    #: The content that is sent: a text, Slack's own blocks, a file.
    piece: Piece = field(repr=False, compare=False)
    #: The full traceback, where it is an exception's message.
    traceback: str | None = field(default=None, repr=False, compare=False)


class SlotRecorder(MemoryRecorder):
    """A recorder that keeps a line for every slot, even for equal quiet runs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Record] = []

    def record_quiet(self, record: Record) -> None:
        """Record the slots of a quiet run at once."""
        self.lines.extend(split_by_job(record))
        super().record_quiet(record)


class PluginHarness:
    """Runs a catalog from `start` on, as if first seen then; the real functions are called."""

    def __init__(self, catalog: Catalog, defaults: OptionDefaults, *, start: datetime, path: Path) -> None:
        self.catalog = catalog
        self.clock = FakeClock(start)
        self.recorder = SlotRecorder()
        self.zone = defaults.zone
        self._defaults = defaults
        # Random, so that no text of a test can contain it.
        self._mark = Markup(str(uuid4().int)[:12])
        render = Render(self._mark, Redaction())
        self._executor = DirectExecutor(Caller(self.clock, render))
        self._services = ContextServices(
            mark=self._mark,
            path=path,
            render=render,
            address=lambda to: Address.parse(to, defaults.channel),
            now=self.clock.now,
            key_value_store=key_value_stores((), write=lambda _: None, now=self.clock.now, cipher=TransparentCipher()),
        )
        self._simulation = Simulation(
            catalog,
            self.clock,
            self._executor,
            mark=self._mark,
            recorder=self.recorder,
            services=self._services,
        )
        #: The number of messages and lines that were returned already.
        self._messages_returned = 0
        self._lines_returned = 0

    def advance(self, by: timedelta) -> list[Said]:
        """Run all slots up to `by` from now, that moment included; return the messages."""
        end = self.clock.now() + by
        with captured(sys.stderr):
            self._simulation.run_until(end + TICK)
        self.clock.set(end)
        return self._new_messages()

    def emit(self, name: str, fields: Mapping[str, object]) -> list[Said]:
        """Emit an event now; return the messages of the jobs that answer it."""
        with captured(sys.stderr):
            self._simulation.engine.handle(Emitted(name, self.clock.now(), fields))
        return self._new_messages()

    def run(self, name: str) -> list[Said]:
        """Call a function as if a person asked; return its answer, which is never empty."""
        engine, binding = self._simulation.engine, self.catalog.lookup(name)
        to = binding.to if isinstance(binding, Job) else self._defaults.to
        run = Run(engine.next_id(), binding.name, binding.action, self.clock.now(), asked_by="you")
        host = AskedRunHost(to, self._services, hold=engine.hold, emit_event=engine.handle)
        with captured(sys.stderr):
            self._executor.submit([run], host)
        settlement = settle_asked(run.posts, host.result, to, self._mark)
        told = [*host.messages, *settlement.messages]
        self.recorder.submit(Batch(records=[host.record(run, settlement, told)], messages=told))
        return self._new_messages()

    def _zone(self, name: str) -> tzinfo:
        return next((job.zone for job in self.catalog.jobs if job.name == name), self.zone)

    def _new_messages(self) -> list[Said]:
        """Return the messages since the last call; tracebacks go to standard error, where a failed test shows them."""
        told, lines = self.recorder.messages[self._messages_returned :], self.recorder.lines[self._lines_returned :]
        self._messages_returned, self._lines_returned = len(self.recorder.messages), len(self.recorder.lines)
        sys.stderr.writelines(line.error for line in lines if line.error)
        by_run: dict[int | None, Record] = {line.run: line for line in lines if line.run}
        return [self._said(message, by_run.get(message.origin.run)) for message in told]

    def _said(self, message: Message, line: Record | None) -> Said:
        job = line.binding if line else ""
        at = (message.origin.slot or self.clock.now()).astimezone(self._zone(job))
        trace = line.error if line and message.severity is MessageSeverity.ERROR else None
        return Said(plain(fallback(message.piece)), message.to.shown, job, at, message.piece, trace)
