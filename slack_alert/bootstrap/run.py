"""Run the program until a signal ends it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TextIO

from slack_alert.bootstrap.addresses import address, errors_address
from slack_alert.bootstrap.audit import audit_key
from slack_alert.bootstrap.database import open_reader, owning
from slack_alert.bootstrap.lost_database import DatabaseFiles
from slack_alert.bootstrap.plugin_files import database, find
from slack_alert.bootstrap.plugin_loading import FollowedPlugins, follow_plugins
from slack_alert.bootstrap.wiring import assemble
from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.app.app import App, AppConfig
from slack_alert.engine.app.components import Components, Stores
from slack_alert.engine.batches import HistoryLimits
from slack_alert.engine.ports import Door
from slack_alert.engine.system.descriptors import reserve_descriptors
from slack_alert.engine.system.loop_runner import run_to_end
from slack_alert.loader import FoundFiles, plugins_folder
from slack_alert.loader.guard.event_loop import new_standard_loop
from slack_alert.stores import FileJournal, MemoryInbox, SqliteInbox, SqliteStore, inbox_path, journal_path
from slack_alert.stores.files.exposure import inbox_exposure

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: A short command may own the database for a moment; a start waits this long for it.
_PATIENCE = timedelta(seconds=2)
_FOREVER = timedelta(days=36_500)

Progress = Callable[[int, int], None]
Ready = Callable[[Components], None]
#: Makes the door of a terminal, given what ends the program once all that was asked is answered.
Terminal = Callable[[Callable[[], Awaitable[None]]], Door]


def run(
    settings: Settings,
    found: FoundFiles | None,
    redaction: Redaction,
    *,
    out: TextIO,
    standby: bool,
    progress: Progress | None,
    ready: Ready,
    note: str = "",
    terminal: Terminal | None = None,
) -> int:
    """Run until a signal; return the exit code.

    With `terminal` no job runs, and nobody but that terminal is let in.

    3: another process holds the database; 1: there is nothing to run. `ready` is called once the clock runs, or before
    the end if there is nothing to run. If `found` is None, plugins are searched once the database is acquired. `note`
    is what other commands read about this program. `redaction` is that of the log.
    """
    plugins_folder(settings.path)  # A wrong path raises before anything is created there.
    reserve_descriptors()  # Before plugins are loaded: their changes to the process are measured from here on.

    def plugins() -> FollowedPlugins:
        _import_scheduler(settings)
        return follow_plugins(settings, found or find(settings), progress)

    if settings.dry_run:
        from slack_alert.stores.memory import MemoryStore

        memory = MemoryStore()
        return _run(settings, Stores(memory, MemoryInbox(), lambda: memory), plugins(), redaction, out, ready, terminal)
    place = database(settings)
    with owning(settings, _FOREVER if standby else _PATIENCE, note=note) as lock:
        if lock is None:
            return 3
        journal = FileJournal(journal_path(place))
        inbox, read = SqliteInbox(inbox_path(place)), partial(open_reader, settings)
        store = SqliteStore(place, audit_key(settings))
        files = DatabaseFiles(place, store, lock, journal)
        stores = Stores(store, inbox, read, journal, files.loss, files.rescue, partial(inbox_exposure, place))
        return _run(settings, stores, plugins(), redaction, out, ready, terminal)


def _run(
    settings: Settings,
    stores: Stores,
    plugins: FollowedPlugins,
    redaction: Redaction,
    out: TextIO,
    ready: Ready,
    terminal: Terminal | None,
) -> int:
    if terminal is not None:
        bindings = tuple([each for each in plugins.catalog.bindings if isinstance(each, Command | Guard)])
        idle = tuple(plugins.catalog.jobs)
        plugins = replace(plugins, catalog=replace(plugins.catalog, bindings=bindings), idle=idle)
        settings = replace(settings, reload="off")
    catalog = plugins.catalog

    async def main() -> int:
        parts = assemble(settings, plugins, stores, redaction, out=out)
        if terminal is not None:
            parts = _for_terminal(parts, terminal(lambda: app.end_answered()))  # noqa: PLW0108 - it is made below
        app = App(parts, _app_config(settings))
        if not (catalog.bindings or parts.has_doors):
            app.stop()  # The problems are posted all the same.

        def started() -> None:
            ready(parts)
            # Only now, and on another thread: the cache serves the next start, so this one need not wait for a disk.
            asyncio.get_running_loop().run_in_executor(None, plugins.keep)

        code = await app.run(started)
        if code:
            _exit_now(code, out)
        return code if catalog.bindings or parts.has_doors else 1

    # The standard library's loop, whatever event loop policy plugins have set.
    return run_to_end(main(), new_standard_loop)


def _for_terminal(parts: Components, door: Door) -> Components:
    """Return components that let in only the person at a terminal, and say nothing of slots: no job runs."""
    make_chat = parts.make_chat
    assert make_chat is not None, "every program makes one"
    return replace(parts, make_chat=lambda: replace(make_chat(), doors=(door,)), has_doors=True, keeps_pulse=False)


def _import_scheduler(settings: Settings) -> None:
    """Import the scheduler's libraries while new files are read."""
    from slack_alert.schedulers import prepare

    prepare(settings.scheduler)


def _exit_now(code: int, out: TextIO) -> NoReturn:
    """Exit at once: the interpreter would wait for the threads of runs that were cut off, however long they take."""
    for stream in (out, sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _app_config(settings: Settings) -> AppConfig:
    return AppConfig(
        to=address(settings),
        errors_to=errors_address(settings),
        zone=settings.timezone,
        drain_timeout=settings.drain_timeout,
        limits=HistoryLimits(settings.history_days, settings.history_rows, settings.audit_days),
    )
