"""Make the engine, its executors, and the services of the functions' contexts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Any

from slack_alert.bootstrap.addresses import address
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece
from slack_alert.core.model.run import Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import Batch, Snapshot, StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.context.context import Context, ContextServices, public
from slack_alert.engine.context.key_value import KeyValueStore, Write
from slack_alert.engine.context.subprocesses import Subprocesses
from slack_alert.engine.durable_values import number_of, submit_durably
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.process_stalls import ProcessStalls
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector, durations_of
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.pauses import pause_by_name
from slack_alert.engine.ports import Clock, Executor, ExecutorLoad, Inbox, Journal, Reader, Recorder, Store
from slack_alert.engine.recording.redacting import RedactingRecorder
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.runs.journaling import JournalingExecutor
from slack_alert.executors.calling.awaiting import loop_bridge
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.isolated.process import ChildProgram
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.isolated.protocol import PluginSources
from slack_alert.executors.pool import PoolExecutor
from slack_alert.executors.retries import RetryingExecutor

if TYPE_CHECKING:
    from slack_alert.bootstrap.plugin_loading import FollowedPlugins
    from slack_alert.settings import Settings

#: The paths come first: nothing may be imported from the current folder.
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from slack_alert.bootstrap.child_main import main; main()"


def make_processes(
    settings: Settings,
    *,
    sources: PluginSources,
    context: Callable[[Run], Context],
    notice: Callable[[Run, object], None],
    redaction: Redaction,
    children: Callable[[], Subprocesses],
    clock: Clock,
) -> ProcessPool:
    """Make the pool of child processes; a process is started when it is first needed."""
    return ProcessPool(
        lambda: make_program(settings.path, settings.markers),
        sources=sources,
        context=context,
        notice=notice,
        redaction=redaction,
        children=children,
        clock=clock,
    )


def make_program(path: Path, markers: Sequence[str] = ()) -> ChildProgram:
    """Return the command line and environment, without secrets, of a child for the plugins below `path`."""
    warnings = [f"-W{option}" for option in sys.warnoptions]
    argv = (sys.executable, *warnings, "-c", _CODE, *sys.path)
    return ChildProgram(argv, public(os.environ), {"path": str(path), "markers": list(markers)})


class RunStores(Struct, frozen=True):
    """The store, inbox and journal of a running program."""

    store: Store
    inbox: Inbox
    #: Opens a reader beside the writer; the caller closes it.
    read: Callable[[], Reader]
    journal: Journal | None = None
    #: Returns what happened to the open files, or None if they are intact.
    loss: Callable[[], str | None] = lambda: None
    #: Saves the data if they are not, and returns where it is.
    rescue: Callable[[], str] = str


class Runtime(Struct, frozen=True):
    """The engine, with its executor, recorder and services."""

    clock: Clock
    mark: Markup
    snapshot: Snapshot
    reader: Reader
    writer: Writer
    recorder: Recorder
    mutes: Mutes
    executor: Executor
    load: Callable[[], ExecutorLoad]
    engine: Engine
    services: ContextServices


def make_runtime(settings: Settings, plugins: FollowedPlugins, stores: RunStores) -> Runtime:
    """Make the engine and its executor; must be called on the loop on which they will run."""
    clock, host, snapshot = SystemClock(), _RunHost(), stores.store.open()
    render = Render(new_mark(), Redaction(settings.secrets()))
    writer = Writer(
        stores.store,
        clock,
        journal=stores.journal,
        numbered=number_of(snapshot.entries),
        blocking=blocking_of(settings),
    )
    reader = stores.read()
    recorder = RedactingRecorder(writer, render.redaction)
    mutes = make_mutes(settings, snapshot.entries)
    sources = PluginSources(plugins.snapshots.contents_for, plugins.snapshots.add_found)
    pool = _make_pool(settings, host, render, sources, clock)
    executor: Executor = RetryingExecutor(pool, loop=asyncio.get_running_loop(), chance=random)
    if stores.journal is not None:
        executor = JournalingExecutor(executor, stores.journal)
    host.engine = Engine(
        plugins.catalog,
        recorder=recorder,
        executor=executor,
        clock=clock,
        mark=render.mark,
        mute=mutes.reason,
        slow_runs=_make_slow_run_detector(settings, reader, clock),
    )
    host.services = make_services(settings, host.engine, recorder, snapshot, render, clock)
    return Runtime(
        clock, render.mark, snapshot, reader, writer, recorder, mutes, executor, lambda: pool.load, host.engine,
        host.services,
    )  # fmt: skip


def make_services(
    settings: Settings, engine: Engine, recorder: Recorder, snapshot: Snapshot, render: Render, clock: Clock
) -> ContextServices:
    """Make the services through which the contexts of functions reach the program."""

    def say(run: Run, value: object, to: str | None) -> None:
        if said := render(run, value):
            engine.say(run, said, address(settings, to) if to else None)

    return ContextServices(
        mark=render.mark,
        path=settings.path,
        say=say,
        hold=partial(pause_by_name, engine, recorder),
        now=clock.now,
        key_value_store=make_key_value_stores(
            snapshot.entries, lambda entries: submit_durably(recorder, Batch(entries=[*entries])), clock
        ),
    )


def make_key_value_stores(
    entries: Iterable[StoredValue], write: Write, clock: Clock, look: Callable[[], Iterable[StoredValue]] | None = None
) -> Callable[[str], KeyValueStore]:
    """Return a function from a pack to its key-value store, always the same; `look` rereads where others write."""
    stores: dict[str, KeyValueStore] = {}

    def key_value_store(pack: str) -> KeyValueStore:
        if pack not in stores:
            own = partial(_entries_of, pack)
            again = None if look is None else lambda: own(look())
            # Two first runs may meet here; the store that was set first counts.
            stores.setdefault(pack, KeyValueStore(pack, own(entries), write=write, now=clock.now, look=again))
        return stores[pack]

    return key_value_store


def _entries_of(pack: str, entries: Iterable[StoredValue]) -> list[StoredValue]:
    return [entry for entry in entries if entry.pack == pack]


def new_mark() -> Markup:
    """Make the random, unguessable mark that tells our own mentions and links from text."""
    return Markup(f"{int.from_bytes(os.urandom(16), 'big') % 10**12:012}")


def blocking_of(settings: Settings) -> Callable[..., Any] | None:  # Any: it returns what the call returns
    """Return the wrapper for blocking calls that lets greenlets go on, or None where threads need none."""
    if settings.scheduler != "GeventScheduler":
        return None
    from slack_alert.schedulers.greenlets import blocking

    return blocking


class _RunHost:
    """Gives the executor access to the engine and its services, which are made after it."""

    engine: Engine
    services: ContextServices

    def say(self, run: Run, said: tuple[Piece, ...]) -> None:
        self.engine.say(run, said)

    def notice(self, run: Run, value: object) -> None:
        self.engine.emit(run, value)

    def context(self, run: Run) -> Context:
        return Context(run, self.services)

    def ended(self, run: int) -> None:
        self.services.children.terminate(run)


def _make_pool(
    settings: Settings, host: _RunHost, render: Render, sources: PluginSources, clock: Clock
) -> PoolExecutor:
    loop = asyncio.get_running_loop()
    processes = make_processes(
        settings,
        sources=sources,
        context=host.context,
        notice=host.notice,
        redaction=render.redaction,
        children=lambda: host.services.children,
        clock=clock,
    )
    caller = Caller(
        clock=clock, render=render, say=host.say, context=host.context, notice=host.notice, ended=host.ended,
        bridge=loop_bridge(loop),
    )  # fmt: skip
    return PoolExecutor(caller, threads=settings.threads, loop=loop, isolated=processes)


def _make_slow_run_detector(settings: Settings, reader: Reader, clock: Clock) -> SlowRunDetector:
    durations = partial(durations_of, reader)
    if blocking_of(settings) is not None:
        # Its threads are greenlets: a function that blocks the others would look like a stalled process.
        return SlowRunDetector(durations)
    stalls = ProcessStalls(clock)
    stalls.start()
    return SlowRunDetector(durations, stalls.during)
