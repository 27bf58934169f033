"""Make the engine, its executors, and the services of the functions' contexts."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_alert import __version__
from slack_alert.bootstrap.addresses import address
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.exec_policy import make_judge
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.stored_values import value_cipher
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.run import Action, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.batches import Snapshot, StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.context.context import ContextServices, public
from slack_alert.engine.context.key_value import KeyValueStore, Wait, key_value_stores
from slack_alert.engine.context.subprocesses import Subprocesses
from slack_alert.engine.durable_values import number_of
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.process_stalls import ProcessStalls
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector, durations_of
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Clock, HistoryReader, Reader, Recorder
from slack_alert.engine.recording.redacting import RedactingRecorder
from slack_alert.engine.recording.writer import Writer
from slack_alert.executors.calling.awaiting import loop_bridge
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.isolated.process import ChildProgram
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.isolated.protocol import PluginSources
from slack_alert.executors.pool import PoolExecutor

if TYPE_CHECKING:
    from slack_alert.bootstrap.plugin_loading import FollowedPlugins
    from slack_alert.engine.app.components import Stores
    from slack_alert.engine.monitoring.counters import CountingRecorder
    from slack_alert.settings import Settings
    from slack_alert.web.api.api import Api

_MAIN = "from slack_alert.bootstrap.child_main import main; main()"
#: The paths come first: nothing may be imported from the current folder.
_CODE = f"import sys; sys.path[:] = sys.argv[1:]; {_MAIN}"
#: In the environment of a pack what is installed there comes first, and this program after it.
_CODE_OF_PACK = f"import sys; sys.path[:] = [*sys.path[1:], *sys.argv[1:]]; {_MAIN}"


def make_program(path: Path, markers: Sequence[str] = (), python: str = "") -> ChildProgram:
    """Return the command line and environment, without secrets, of a child for the plugins below `path`.

    `python` is that of a pack's own environment; empty: the one of this program.
    """
    warnings = [f"-W{option}" for option in sys.warnoptions]
    argv = (python or sys.executable, *warnings, "-c", _CODE_OF_PACK if python else _CODE, *sys.path)
    return ChildProgram(argv, public(os.environ), {"path": str(path), "markers": list(markers)})


class Runtime(Struct, frozen=True):
    """The engine, with its executor, recorder and services."""

    clock: Clock
    mark: Markup
    #: The only one of the program: it learns the secrets among the arguments of commands.
    redaction: Redaction
    snapshot: Snapshot
    reader: Reader
    writer: Writer
    recorder: Recorder
    mutes: Mutes
    executor: PoolExecutor
    engine: Engine
    services: ContextServices
    #: Counts what is recorded, where the web server tells it.
    counter: CountingRecorder | None = None
    #: The HTTP API, where somebody has a token for it.
    api: Api | None = None


def make_runtime(settings: Settings, plugins: FollowedPlugins, stores: Stores, redaction: Redaction) -> Runtime:
    """Make the engine and its executor; must be called on the loop on which they will run."""
    clock, snapshot = SystemClock(), stores.store.open()
    render = Render(new_mark(), redaction)
    writer = Writer(
        stores.store,
        clock,
        journal=stores.journal,
        numbered=number_of(snapshot.entries),
        blocking=blocking_of(settings),
    )
    reader = stores.read()
    counter = _make_counter(settings, writer)
    recorder = RedactingRecorder(counter or writer, redaction)
    mutes = make_mutes(settings, snapshot.entries)

    def write(entries: Sequence[StoredValue], run: Run | None = None) -> Wait:
        return engine.keep_values(entries, run)

    values = key_value_stores(
        snapshot.entries,
        write=write,
        now=clock.now,
        write_of=lambda run: partial(write, run=run),
        cipher=value_cipher(settings, redaction),
    )
    services = make_services(settings, render, clock, values)
    services = replace(services, children=Subprocesses(_family(settings)))
    executor = _make_executor(settings, plugins, render, services.children, clock)
    engine = Engine(
        plugins.catalog,
        recorder=recorder,
        executor=executor,
        clock=clock,
        mark=render.mark,
        services=services,
        journal=stores.journal,
        mute=mutes.reason,
        judge=make_judge(settings, render.mark, mutes.reason),
        slow_runs=_make_slow_run_detector(settings, reader, clock),
        has_buttons=settings.has_buttons,
    )
    return Runtime(
        clock, render.mark, redaction, snapshot, reader, writer, recorder, mutes, executor, engine, services, counter,
        _make_api(settings),
    )  # fmt: skip


def _make_api(settings: Settings) -> Api | None:
    if not settings.has_api:
        return None
    from slack_alert.web.api.api import Api, Tokens

    change, read = (None if each is None else each.reveal() for each in (settings.web_token, settings.web_read_token))
    return Api(Tokens(change, read), __version__)


def _make_counter(settings: Settings, writer: Writer) -> CountingRecorder | None:
    if not settings.web_listen:
        return None
    from slack_alert.engine.monitoring.counters import CountingRecorder

    return CountingRecorder(writer)


def make_services(
    settings: Settings, render: Render, clock: Clock, key_value_store: Callable[[str], KeyValueStore]
) -> ContextServices:
    """Make the services of the functions' contexts."""
    return ContextServices(
        mark=render.mark,
        path=settings.path,
        render=render,
        address=partial(address, settings),
        now=clock.now,
        key_value_store=key_value_store,
    )


def _family(settings: Settings) -> str:
    """Return what tells the programs of this database's runs from those of others on this machine."""
    if settings.dry_run:
        return ""
    place = os.path.realpath(database(settings))
    return hashlib.sha256(os.fsencode(place)).hexdigest()[:16]


def new_mark() -> Markup:
    """Make the random, unguessable mark that tells our own mentions and links from text."""
    return Markup(f"{int.from_bytes(os.urandom(16), 'big') % 10**12:012}")


def blocking_of(settings: Settings) -> Callable[..., Any] | None:  # Any: it returns what the call returns
    """Return the wrapper for blocking calls that lets greenlets go on, or None where threads need none."""
    if settings.scheduler != "GeventScheduler":
        return None
    from slack_alert.schedulers.greenlets import blocking

    return blocking


def _make_executor(
    settings: Settings, plugins: FollowedPlugins, render: Render, children: Subprocesses, clock: Clock
) -> PoolExecutor:
    loop = asyncio.get_running_loop()
    processes = make_processes(settings, plugin_sources(plugins), render.redaction, children, clock)
    caller = Caller(clock, render, loop_bridge(loop))
    return PoolExecutor(caller, threads=settings.threads, loop=loop, isolated=processes)


def plugin_sources(plugins: FollowedPlugins) -> PluginSources:
    """Return the access to the plugin files."""
    return PluginSources(plugins.snapshots.contents_for, plugins.snapshots.add_found)


def make_processes(
    settings: Settings,
    sources: PluginSources,
    redaction: Redaction,
    children: Subprocesses,
    clock: Clock,
    **options: int,
) -> ProcessPool:
    """Make what calls functions in processes of their own."""
    return ProcessPool(
        partial(make_program, settings.path, settings.markers),
        sources=sources,
        redaction=redaction,
        children=children,
        clock=clock,
        **options,
    )


def isolated_in(settings: Settings, action: Action, redaction: Redaction, clock: Clock) -> ProcessPool | None:
    """Make what calls a function of a pack with an environment of its own; None for any other function."""
    if action.pack is None or not action.pack.python:
        return None
    # The processes read the files from the disk themselves.
    sources = PluginSources(lambda _: {}, lambda _: None)
    return make_processes(settings, sources, redaction, Subprocesses(), clock)


def _make_slow_run_detector(settings: Settings, reader: HistoryReader, clock: Clock) -> SlowRunDetector:
    durations = partial(durations_of, reader)
    if blocking_of(settings) is not None:
        # Its threads are greenlets: a function that blocks the others would look like a stalled process.
        return SlowRunDetector(durations)
    stalls = ProcessStalls(clock)
    stalls.start()
    return SlowRunDetector(durations, stalls.during)
