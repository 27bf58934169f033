"""A life of the real program in the world: its settings, its plugins, its app; only what lies outside is simulated."""

from __future__ import annotations

import gc
import io
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from slack_alert.bootstrap import run as run_module
from slack_alert.bootstrap.audit import audit_key
from slack_alert.bootstrap.database import open_reader
from slack_alert.bootstrap.plugin_files import database, find
from slack_alert.bootstrap.plugin_loading import follow_plugins
from slack_alert.bootstrap.wiring import assemble
from slack_alert.channels.slack import client
from slack_alert.core.errors import StoreError
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.app.app import App
from slack_alert.engine.app.components import Stores
from slack_alert.engine.clock import SystemClock
from slack_alert.loader import unload
from slack_alert.loader.files.watcher import PluginWatcher
from slack_alert.settings import Settings, load_settings
from slack_alert.stores import SqliteReader, inbox_path, journal_path
from tests.simulation import patches, primitives
from tests.simulation.disk import Disk, SimulatedInbox, SimulatedJournal, SimulatedStore
from tests.simulation.network import Posts, Service, Session, Web
from tests.simulation.plugins import Stage
from tests.simulation.primitives import SimulatedLoop
from tests.simulation.world import KilledError, Life, World


def prepare() -> None:
    """Give the product the world's time where it asks for it, and no watch of the real system."""
    import apscheduler.schedulers.base

    import slack_alert.schedulers.base
    import slack_alert.stores.files.paths

    patches.freeze_names(apscheduler.schedulers.base, slack_alert.schedulers.base, slack_alert.stores.files.paths)
    SystemClock.now = lambda _: primitives.world.now()  # type: ignore[method-assign,assignment]
    # Reports of the system are lost: files are found changed by looking at them.
    PluginWatcher._watch = lambda *_: None  # type: ignore[method-assign]
    gc.collect()
    gc.freeze()


class Place:
    """What outlives a life: the folder, the service, the functions' world."""

    def __init__(self, world: World, folder: Path, conf: str, stage: Stage) -> None:
        self.world, self.folder, self.stage = world, folder, stage
        (folder / "plugins").mkdir(exist_ok=True)
        (folder / "slack_alert.conf").write_text(conf, encoding="utf-8")
        self.disk, self.service = Disk(world), Service(world)
        self.lives = 0
        self.settings = self._settings()
        self.database = database(self.settings)
        self.errors: list[str] = []
        here = ModuleType("simulated")
        for name in ("play", "play_async", "stream", "notice", "beat", "answer"):
            setattr(here, name, getattr(stage, name))
        sys.modules["simulated"] = here

    def _settings(self) -> Settings:
        flags = {"path": str(self.folder), "ignore_global_config": True}
        return load_settings(flags, {}, cwd=self.folder, home=None).settings

    def inbox(self) -> SimulatedInbox:
        """Return the inbox as another process opens it."""
        return SimulatedInbox(inbox_path(self.database), self.disk)

    def reader(self) -> SqliteReader:
        """Return a reader, as another process opens it."""
        return SqliteReader(self.database)


class Process:
    """One life of the program."""

    def __init__(self, place: Place) -> None:
        place.lives += 1
        self._place = place
        self._world = place.world
        self.life = Life(place.lives)
        self.is_ready = False
        #: The exit code, once it ended by itself.
        self.code: int | None = None
        self._app: App | None = None
        self._loop: SimulatedLoop | None = None
        self._closing: list[Callable[[], object]] = []

    def begin(self) -> None:
        """Start it."""
        self._world.spawn(self.life, self._run, "main")

    @property
    def is_over(self) -> bool:
        """Whether it ended, or was killed."""
        return self.life.is_dead or self.code is not None

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does."""
        if self._app is not None and self._loop is not None and not self.is_over:
            self._loop.call_soon_threadsafe(self._app.stop)

    def drop(self) -> None:
        """Do what the system does with a process that is gone."""
        self._world.bury(self.life)
        loop = self._loop
        if loop is not None:
            import asyncio

            for task in asyncio.all_tasks(loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                if coroutine := task.get_coro():
                    with suppress(BaseException):
                        coroutine.close()
            loop.close()
        for close in self._closing:
            with suppress(Exception):
                close()
        unload()
        self._app = self._loop = None
        gc.collect()

    def _run(self) -> None:
        place, settings = self._place, self._place.settings
        world, disk = self._world, place.disk
        transports = (Web(place.service), Session(place.service), Posts(place.service))
        client._connect = lambda _: client._Transports(*transports)  # type: ignore[arg-type,assignment]
        store = SimulatedStore(place.database, disk, self.life, audit_key(settings))
        journal = SimulatedJournal(journal_path(place.database), disk, self.life)

        def read() -> SqliteReader:
            reader = open_reader(settings)
            assert isinstance(reader, SqliteReader)
            self._closing.append(reader.close)
            return reader

        self._closing = [store.drop, journal.drop]
        stores = Stores(store, place.inbox(), read, journal)
        self._loop = loop = SimulatedLoop()
        world.step("begin")
        plugins = follow_plugins(settings, find(settings), None)

        async def main() -> int:
            parts = assemble(settings, plugins, stores, Redaction(settings.secrets()), out=io.StringIO())
            self._app = app = App(parts, run_module._app_config(settings))
            return await app.run(self._ready)

        try:
            code = loop.run_until_complete(main())
        except KilledError:
            raise
        except StoreError as error:
            # A supervisor starts it again, and the disk is said to be full.
            world.note(f"ended: {error}")
            if not disk.is_full:
                place.errors.append(f"life {self.life.number} ended by StoreError: {error}")
            code = 1
        except Exception as error:  # noqa: BLE001 - it is told as a violation
            place.errors.append(f"life {self.life.number} ended by {type(error).__name__}: {error}")
            code = 99
        self.code = code

    def _ready(self) -> None:
        self.is_ready = True
        self._world.note("ready")


class ErrorsAreViolations(logging.Handler):
    """Collects what the program logs with a traceback: faults of its own."""

    def __init__(self, place: Place) -> None:
        super().__init__(logging.ERROR)
        self._place = place

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        current = self._place.world.current
        if error is None or isinstance(error, KilledError) or current is None or current.life.is_dead:
            return
        self._place.errors.append(f"logged: {record.getMessage()}: {type(error).__name__}: {error}")
