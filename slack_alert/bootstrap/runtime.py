"""The engine, with all that it runs functions by, and what they reach the rest of the program through."""

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
from slack_alert.core.catalog import Catalog
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
from slack_alert.engine.durability import number_of, put_durably
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.process_stalls import ProcessStalls
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector, durations_of
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.pauses import hold_by_name
from slack_alert.engine.ports import Clock, Executor, ExecutorLoad, Inbox, Journal, Reader, Recorder, Store
from slack_alert.engine.recording.redacting import RedactingRecorder
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.runs.journaling import JournalingExecutor
from slack_alert.executors.calling.awaiting import on_loop
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.isolated.process import ChildProgram
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.isolated.protocol import PluginSources
from slack_alert.executors.pool import PoolExecutor
from slack_alert.executors.retries import RetryingExecutor

if TYPE_CHECKING:
    from slack_alert.settings import Settings

if TYPE_CHECKING:
    from slack_alert.settings import Settings


#: The paths first: the folder one stands in is no place to import from.
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
    """Make what starts processes; none is started before it is wanted."""
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
    """Say how a process is started for the plugins below `path`; of the environment it sees what is no secret."""
    warnings = [f"-W{option}" for option in sys.warnoptions]
    argv = (sys.executable, *warnings, "-c", _CODE, *sys.path)
    return ChildProgram(argv, public(os.environ), {"path": str(path), "markers": list(markers)})


class RunStores(Struct, frozen=True):
    """Where one run keeps what it remembers."""

    store: Store
    inbox: Inbox
    #: Opens what is remembered, to be read beside the writer; who asks closes it.
    read: Callable[[], Reader]
    journal: Journal | None = None
    #: Says what became of the files that were opened; None: they are there as ever.
    loss: Callable[[], str | None] = lambda: None
    #: Saves what is known where they are not, and says where that is.
    rescue: Callable[[], str] = str


class Runtime(Struct, frozen=True):
    """The engine, with all that it runs functions by and writes to."""

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


def make_works(settings: Settings, catalog: Catalog, stores: RunStores, sources: PluginSources) -> Runtime:
    """Make the engine, and what runs functions for it; must be called on the loop they shall run on."""
    clock, reach, snapshot = SystemClock(), _Reach(), stores.store.open()
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
    pool = _make_pool(settings, reach, render, sources, clock)
    executor: Executor = RetryingExecutor(pool, loop=asyncio.get_running_loop(), chance=random)
    if stores.journal is not None:
        executor = JournalingExecutor(executor, stores.journal)
    reach.engine = Engine(
        catalog,
        recorder=recorder,
        executor=executor,
        clock=clock,
        mark=render.mark,
        mute=mutes.reason,
        paces=_make_paces(settings, reader, clock),
    )
    reach.services = make_services(settings, reach.engine, recorder, snapshot, render, clock)
    return Runtime(
        clock, render.mark, snapshot, reader, writer, recorder, mutes, executor, lambda: pool.load, reach.engine,
        reach.services,
    )  # fmt: skip


def make_services(
    settings: Settings, engine: Engine, recorder: Recorder, snapshot: Snapshot, render: Render, clock: Clock
) -> ContextServices:
    """Make what the contexts of functions reach the rest of the program through."""

    def say(run: Run, value: object, to: str | None) -> None:
        if said := render(run, value):
            engine.say(run, said, address(settings, to) if to else None)

    return ContextServices(
        mark=render.mark,
        path=settings.path,
        say=say,
        hold=partial(hold_by_name, engine, recorder),
        now=clock.now,
        key_value_store=make_key_value_stores(
            snapshot.entries, lambda entries: put_durably(recorder, Batch(entries=[*entries])), clock
        ),
    )


def make_key_value_stores(
    entries: Iterable[StoredValue], write: Write, clock: Clock, look: Callable[[], Iterable[StoredValue]] | None = None
) -> Callable[[str], KeyValueStore]:
    """Return the key-value store of each pack, the same one each time; `look` reads all anew where others write."""
    pockets: dict[str, KeyValueStore] = {}

    def key_value_store(pack: str) -> KeyValueStore:
        if pack not in pockets:
            own = partial(_of_pack, pack)
            again = None if look is None else lambda: own(look())
            # Two first runs may meet here; the one store that counts is whichever came first.
            pockets.setdefault(pack, KeyValueStore(pack, own(entries), write=write, now=clock.now, look=again))
        return pockets[pack]

    return key_value_store


def _of_pack(pack: str, entries: Iterable[StoredValue]) -> list[StoredValue]:
    return [entry for entry in entries if entry.pack == pack]


def new_mark() -> Markup:
    """Make the mark that tells our own mentions and links from text; nobody can guess it."""
    return Markup(f"{int.from_bytes(os.urandom(16), 'big') % 10**12:012}")


def blocking_of(settings: Settings) -> Callable[..., Any] | None:  # Any: it gives what the call gives
    """Say how calls are made that block, where something else must be able to go on meanwhile."""
    if settings.scheduler != "GeventScheduler":
        return None
    from slack_alert.schedulers.gevent import blocking

    return blocking


class _Reach:
    """What runs reach the engine and its services through, which are made after those that run."""

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


def _make_pool(settings: Settings, reach: _Reach, render: Render, sources: PluginSources, clock: Clock) -> PoolExecutor:
    loop = asyncio.get_running_loop()
    processes = make_processes(
        settings,
        sources=sources,
        context=reach.context,
        notice=reach.notice,
        redaction=render.redaction,
        children=lambda: reach.services.children,
        clock=clock,
    )
    performer = Caller(
        clock=clock, render=render, say=reach.say, context=reach.context, notice=reach.notice, ended=reach.ended,
        bridge=on_loop(loop),
    )  # fmt: skip
    return PoolExecutor(performer, threads=settings.threads, loop=loop, apart=processes)


def _make_paces(settings: Settings, reader: Reader, clock: Clock) -> SlowRunDetector:
    past = partial(durations_of, reader)
    if blocking_of(settings) is not None:
        # Its threads are greenlets: a function that keeps the others from running would seem to stand still.
        return SlowRunDetector(past)
    standstill = ProcessStalls(clock)
    standstill.start()
    return SlowRunDetector(past, standstill.during)
