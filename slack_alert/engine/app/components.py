"""The components of the app, put together by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from slack_alert.core.catalog import Catalog, CatalogChange
from slack_alert.core.structs import Struct, field
from slack_alert.engine.batches import Snapshot, StoredValue
from slack_alert.engine.context.subprocesses import Subprocesses
from slack_alert.engine.delivery.sender import Sender
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import (
    ChangeWatch,
    Channel,
    Clock,
    Door,
    Executor,
    ExecutorLoad,
    Inbox,
    Intake,
    Journal,
    Reader,
    Reload,
    Source,
    Store,
)
from slack_alert.engine.recording.writer import Writer

if TYPE_CHECKING:  # They import ssl and http, or what only a program with commands needs.
    from slack_alert.engine.app.ping import Heartbeat
    from slack_alert.engine.app.sensor_supervisor import SensorSupervisor
    from slack_alert.engine.commands.commands import Commands


class Stores(Struct, frozen=True):
    """What the program remembers, and what others leave for it."""

    store: Store
    inbox: Inbox
    #: Opens a reader beside the writer; the caller closes it.
    read: Callable[[], Reader]
    journal: Journal | None = None
    #: Returns what happened to the files of the store; None: they are those that were opened.
    loss: Callable[[], str | None] = lambda: None
    #: Saves the contents of lost files once nothing is written any more, and returns where they are.
    rescue: Callable[[], str] = str
    #: Returns who could leave requests in another's name, and what to do about that; empty: nobody.
    exposure: Callable[[], str] = str


class PluginFiles(Struct, frozen=True):
    """The plugin files as they were loaded, and what follows them."""

    catalog: Catalog
    #: Reads changed plugin files; None: they are read at the start only.
    reload: Reload | None = None
    #: Returns plugin files that were still loading at the start and have loaded since.
    load_late: Callable[[], CatalogChange | None] = lambda: None
    #: Undoes changes of plugins to the process that would stop others, and returns what they were.
    guard: Callable[[], Sequence[str]] = list
    #: Notices changed plugin files; None: they are read on request only.
    watch: ChangeWatch | None = None


async def _nothing_to_close() -> None:
    """Do nothing."""


class Chat(Struct, frozen=True):
    """Commands, and the doors by which they come."""

    commands: Commands
    intake: Intake
    doors: tuple[Door, ...]
    #: What goes on beside the doors, until cancelled.
    beside: tuple[Callable[[], Coroutine[object, object, None]], ...] = ()
    #: Closes the connections that it has made, once nothing is asked any more.
    close: Callable[[], Coroutine[object, object, None]] = _nothing_to_close


class Components(Struct, frozen=True):
    """The components of the app."""

    stores: Stores
    plugins: PluginFiles
    reader: Reader
    #: The stored state when the store was opened.
    snapshot: Snapshot
    channels: Mapping[str, Channel]
    clock: Clock
    writer: Writer
    executor: Executor
    engine: Engine
    sender: Sender
    make_source: Callable[[datetime], Source]
    #: Takes over a mute that was stored, or its deletion.
    accept_mute: Callable[[StoredValue], None]
    #: Returns until when a job is muted; None: it is not.
    muted_until: Callable[[str, datetime], datetime | None] = lambda _job, _now: None
    #: Posts what was withheld when a mute or a quiet window is over.
    post_digests: Callable[[datetime], None] = lambda _: None
    #: Replaces the jobs of a source by the engine's present ones.
    replan: Callable[[Source, datetime], None] = lambda _source, _now: None
    #: Returns where messages wait and none is accepted, given the start of this program, and now.
    stalled_addresses: Callable[[datetime, datetime], Sequence[str]] = lambda _began, _now: ()
    #: Returns the load of the executor.
    load: Callable[[], ExecutorLoad] = ExecutorLoad
    heartbeat: Heartbeat | None = None
    #: Returns the machine's time zone once after it has changed; always None where the zone is configured.
    changed_zone: Callable[[], tzinfo | None] = lambda: None
    #: Makes what takes commands from people, at its first use: most programs have none.
    make_chat: Callable[[], Chat] | None = None
    #: Makes what runs the sensors that run for ever, given the engine and the time that they have to end: most programs
    #: have none.
    make_sensors: Callable[[Engine, timedelta], SensorSupervisor] | None = None
    #: What goes on beside the scheduler, until the program ends.
    beside: tuple[Callable[[], Coroutine[object, object, None]], ...] = ()
    #: Whether a door is configured, so that it is made at the start.
    has_doors: bool = False
    #: Whether its signs of life tell that the outcome of all slots is recorded; not where it runs without jobs.
    keeps_pulse: bool = True
    #: The programs that functions started.
    children: Subprocesses = field(default_factory=Subprocesses)
