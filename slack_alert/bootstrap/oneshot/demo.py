"""The program behind `slack-alert demo`: real components on a folder of its own, and a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from slack_alert.bootstrap.audit import audit_key
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.database import open_reader
from slack_alert.bootstrap.oneshot.simulate import make_simulation
from slack_alert.bootstrap.plugin_files import database, find
from slack_alert.bootstrap.plugin_loading import follow_plugins
from slack_alert.bootstrap.runtime import new_mark
from slack_alert.bootstrap.wiring import make_sender
from slack_alert.channels.console import ConsoleChannel
from slack_alert.core.catalog import CatalogChange
from slack_alert.core.model.record import Record
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Recorder
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.simulation.doubles import MemoryRecorder, VirtualClock
from slack_alert.engine.simulation.simulation import simulate as simulated
from slack_alert.executors.calling.rendering import Render
from slack_alert.loader import unload
from slack_alert.operations.explain import ExplainQuestion, answer
from slack_alert.settings import load_settings
from slack_alert.stores import SqliteStore

#: The seconds after which an edited file counts as settled and is reloaded.
_SETTLED_SECONDS = 1.0


class Demo:
    """A program from `start` on that keeps everything in `folder`. Only one may exist at a time."""

    def __init__(self, folder: Path, start: datetime, *, colour: bool) -> None:
        # Neither the environment nor the user's own files count here.
        self.settings = load_settings({"path": str(folder)}, {}, cwd=folder, home=folder).settings
        self.clock = VirtualClock(start)
        self._elapsed = 0.0
        self._store = SqliteStore(database(self.settings), audit_key(self.settings))
        self.before = self._store.open()
        self.reader = open_reader(self.settings)
        plugins = follow_plugins(self.settings, find(self.settings))
        self.catalog, self._reload = plugins.catalog, plugins.reload
        self._mark = new_mark()
        self._loop = asyncio.new_event_loop()
        recorder = DirectRecorder(self._store, self.clock, lambda deliveries: self._sender.accept(deliveries))  # noqa: PLW0108 - made below
        self._printed = StringIO()
        console = ConsoleChannel(self._printed, colour=colour, zone=self.settings.timezone, edit_mark="✎ ")
        self._sender = make_sender(self.settings, {"console": console}, recorder, self.reader, clock=self.clock)
        self._simulation = make_simulation(
            self.settings,
            self.catalog,
            self.clock,
            recorder=_StoringRecorder(recorder),
            render=Render(self._mark, Redaction()),
            snapshot=self.before,
        )
        self._loop.run_until_complete(self._restore())

    def advance(self, by: timedelta) -> str:
        """Advance the clock, the last moment included; return the messages of that time, as a terminal shows them."""
        end = self.clock.now() + by
        self._simulation.run_until(end + TICK)
        self.clock.set(end)
        before = self._printed.tell()
        self._loop.run_until_complete(self._deliver())
        return self._printed.getvalue()[before:]

    def reload(self) -> CatalogChange:
        """Reload the changed plugin files."""
        while (change := self._reload(self._elapsed)) is None or not change.is_settled:
            self._elapsed += _SETTLED_SECONDS
        self.catalog = change.catalog
        self._simulation.engine.adopt(change.catalog, self.before, self.clock.now())
        return change

    def simulate(self, since: datetime, until: datetime) -> list[Record]:
        """Return the history that a run over this time would leave."""
        return list(simulated(self.catalog, since, until, outcomes={}, mark=self._mark))

    def explain(self, job: str, at: datetime) -> tuple[str, ...]:
        """Return the sentences that explain why a job posted, or not, at a time."""
        binding = next(each for each in self.catalog.jobs if each.name == job)
        question, mutes = ExplainQuestion(job, binding, at), make_mutes(self.settings)
        return answer(question, self.reader, mutes, now=self.clock.now(), is_running=True).sentences

    def close(self) -> None:
        """Stop the sender, close the store and unload the plugins."""
        self._loop.run_until_complete(self._sender.stop())
        self._loop.close()
        self.reader.close()
        self._store.close()
        unload()

    async def _restore(self) -> None:
        self._sender.restore()

    async def _deliver(self) -> None:
        await asyncio.sleep(0)  # What was committed reaches the sender in a turn of the loop.
        await self._sender.drained()


class _StoringRecorder(MemoryRecorder):
    """Passes what a simulation records on to a store."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self._recorder.submit(batch, then)

    def record_quiet(self, record: Record) -> None:
        self._recorder.record_quiet(record)
