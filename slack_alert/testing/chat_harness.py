"""Run a catalog with its commands in memory, on a clock that a test moves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

from slack_alert.bootstrap.chat import make_chat
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.runtime import Runtime, make_services, new_mark
from slack_alert.bootstrap.slack_side import SlackSide
from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.content.markup import plain
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.app.components import Stores
from slack_alert.engine.commands.commands import OpenRun
from slack_alert.engine.context.key_value import key_value_stores
from slack_alert.engine.durable_values import write_durably
from slack_alert.engine.ports import ExecutorLoad
from slack_alert.engine.recording.redacting import RedactingRecorder
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.simulation.doubles import TransparentCipher
from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.engine.system.loop_runner import run_to_end
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.output import captured
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import DirectExecutor
from slack_alert.executors.pool import PoolExecutor
from slack_alert.operations.status import StoreState, Vitals
from slack_alert.settings import Settings
from slack_alert.stores.memory import MemoryStore
from slack_alert.stores.sqlite.inbox_file import MemoryInbox
from slack_alert.testing.chat_doubles import (
    ChannelsByName,
    HeldRuns,
    NamedPeople,
    NextSteps,
    OrderedRecorder,
    StepExecutor,
)
from slack_alert.testing.manual_clock import FakeClock

#: How often a real program looks at the runs that go on, about.
_LOOK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it is at present, or one of its earlier texts."""

    #: The key of the message; its edits have it, too.
    key: str
    text: str
    #: `#ops`, `@ann`, an id.
    to: str
    #: The receipt of the message in whose thread it is; empty: it is in none.
    thread: str
    is_edit: bool
    at: datetime
    #: What its buttons do: `ack ops.disk`.
    buttons: tuple[str, ...]


class ChatHarness:
    """Runs a catalog with its commands from the clock's time on, with what a store knows; the functions are called."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        *,
        store: MemoryStore,
        clock: FakeClock,
        people: NamedPeople,
        holds: Sequence[HeldRuns] = (),
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self._clock = clock
        self._store = store
        self._steps = NextSteps()
        snapshot = store.open()
        self._redaction = Redaction(settings.secrets())
        render = Render(new_mark(), self._redaction)
        writer = OrderedRecorder(store, clock)
        recorder = RedactingRecorder(writer, self._redaction)
        mutes = make_mutes(settings, snapshot.entries)
        values = key_value_stores(
            snapshot.entries, write=partial(write_durably, recorder), now=clock.now, cipher=TransparentCipher()
        )
        services = make_services(settings, render, clock, values)
        self._executor = StepExecutor(DirectExecutor(Caller(clock, render)), clock, holds)
        self._simulation = Simulation(
            catalog, clock, self._executor, mark=render.mark, recorder=writer, services=services,
            mute=mutes.reason, snapshot=snapshot.of_jobs(), has_buttons=True,
        )  # fmt: skip
        self._engine = self._simulation.engine
        # A chat uses what these have in common with those of a real program.
        runtime = Runtime(
            clock, render.mark, self._redaction, snapshot, store, cast("Writer", writer), recorder, mutes,
            cast("PoolExecutor", self._executor), self._engine, services,
        )  # fmt: skip
        chat = make_chat(
            settings, runtime, Stores(store, MemoryInbox(), lambda: store),
            side=SlackSide((), {"slack": people}, ChannelsByName()), beside=self._steps, vitals=self._vitals,
        )  # fmt: skip
        self.commands, self._intake = chat.commands, chat.intake
        self.commands.restore(snapshot)

    def take(self, said: ChatMessage | ButtonPress) -> None:
        """Take what somebody wrote or pressed, and do all that follows now."""
        run_to_end(self._intake.take(said))
        self.settle()

    def settle(self) -> None:
        """Do all that is to be done now."""
        with captured(sys.stderr, self._redaction):
            while self._steps.run_next() or self._executor.run_next():
                pass
            self.commands.refresh()

    def advance(self, by: timedelta) -> None:
        """Let time pass, with all that happens in it, its last moment included."""
        end = self._clock.now() + by
        while True:
            now = self._next(end)
            with captured(sys.stderr, self._redaction):
                self._simulation.run_until(now + TICK)
            self._clock.set(now)
            self._steps.ring(now)
            self.settle()
            if now >= end:
                return

    def cancel(self, number: int, by: str) -> None:
        """Cancel a run."""
        self.commands.cancel(number, by)
        self.settle()

    def stop(self) -> None:
        """End as a program does at its end: runs that go on are interrupted, what waits is left."""
        self.commands.stop()
        self.commands.interrupt()
        self._steps.close()

    def kill(self) -> None:
        """End at once: nothing is recorded any more."""
        self._steps.close()

    def shown(self) -> list[Shown]:
        """Return all that was posted so far, edits apart."""
        return [_shown(delivery) for delivery in self._store.deliveries()]

    def open(self) -> Sequence[OpenRun]:
        """Return what was accepted and has not ended."""
        return self.commands.open

    def full_names(self, names: Sequence[str]) -> frozenset[str]:
        """Return the full names of commands and jobs, given by their words or names, or of all; raise LookupError."""
        return frozenset(map(self._full_name, names or [each.name for each in self._runnable]))

    @property
    def _runnable(self) -> list[Binding]:
        """What runs by itself or by a command: guards are asked whatever is held."""
        return [binding for binding in self.catalog.bindings if not isinstance(binding, Guard)]

    def _full_name(self, name: str) -> str:
        for binding in self._runnable:
            words = (binding.words, *binding.aliases) if isinstance(binding, Command) else ()
            if name in (binding.name, *words):
                return binding.name
        known = [each.words if isinstance(each, Command) else each.name for each in self._runnable]
        raise LookupError(f"There is no command or job {name!r} to hold. Loaded: {', '.join(known) or 'nothing'}.")

    def _vitals(self) -> Vitals:
        """Return that all is well: a program on a clock of its own neither hangs nor waits for a service."""
        store = StoreState(Path(self.settings.database), pid=1, snapshot=self._store.snapshot())
        runs = len(self.commands.running)
        return Vitals(self._clock.now(), store, self._clock.now(), True, None, (), (), runs, ExecutorLoad(), None)

    def _next(self, end: datetime) -> datetime:
        """Return the next moment at which something happens, at most `end`."""
        now = self._clock.now()
        times = [at for at in (self._steps.alarm, self._simulation.next_slot) if at is not None]
        if self.commands.open and self.commands.running:
            times.append(now + _LOOK)
        return max(now, min([end, *times]))


def _shown(delivery: Delivery) -> Shown:
    message = delivery.message
    is_edit = message.manner is DeliveryMode.EDIT
    return Shown(
        message.root if is_edit else message.key,
        plain(fallback(message.piece)),
        message.to.shown,
        message.thread,
        is_edit,
        delivery.created,
        tuple(" ".join(filter(None, (each.action, each.about, each.rest))) for each in message.buttons),
    )
