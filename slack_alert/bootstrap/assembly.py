"""Put the parts of a running program together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import random
from typing import TYPE_CHECKING, Any, TextIO

from slack_alert.bootstrap.isolation import make_processes
from slack_alert.bootstrap.judging import make_judge
from slack_alert.bootstrap.places import address, errors_address, open_reader
from slack_alert.bootstrap.silence import make_digests, make_mutes
from slack_alert.bootstrap.timing import Timetable
from slack_alert.channels.closed import Closed
from slack_alert.channels.console import ConsoleChannel
from slack_alert.core.backoff import Outcome
from slack_alert.core.catalog import Catalog
from slack_alert.core.markup import Markup
from slack_alert.core.model import Delivery, Run
from slack_alert.core.redaction import Redaction
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.context import Context, Services
from slack_alert.engine.engine import Engine
from slack_alert.engine.holding import hold_by_name
from slack_alert.engine.mutes import PACK
from slack_alert.engine.paces import Paces, durations_of
from slack_alert.engine.parts import Parts
from slack_alert.engine.pocket import Pocket
from slack_alert.engine.ports import Batch, Books, Channel, Clock, Entry, Inbox, Reader, Reload, Snapshot, Store, Watch
from slack_alert.engine.receipts import Receipts
from slack_alert.engine.redacted import RedactedBooks
from slack_alert.engine.sender import Pace, Sender
from slack_alert.engine.writer import Writer
from slack_alert.executors.inline import Inline
from slack_alert.executors.perform import Performer, Render
from slack_alert.executors.retrying import Retrying
from slack_alert.executors.sources import Sources
from slack_alert.loader import plugins_folder
from slack_alert.stores import MemoryStore

if TYPE_CHECKING:
    from slack_alert.engine.heartbeat import Heartbeat
    from slack_alert.settings import Settings

#: Reads what waits: at one address or at all, after a number, at most so many.
Waiting = Callable[[str | None, int, int], list[Delivery]]


@dataclass(frozen=True, slots=True)
class Stores:
    """Where one run keeps what it remembers."""

    store: Store
    inbox: Inbox
    #: Whether the files are still those that were opened.
    are_intact: Callable[[], bool] = lambda: True


def assemble(
    settings: Settings, catalog: Catalog, stores: Stores, *, sources: Sources, out: TextIO, reload: Reload | None = None
) -> Parts:
    """Put an app together; must be called on the loop it shall run on."""
    store = stores.store
    clock = SystemClock()
    redaction = Redaction(settings.secrets())
    render = Render(new_mark(), redaction)
    snapshot = store.open()
    writer = Writer(store, clock, blocking=_blocking(settings))
    channels = make_channels(settings, out)
    # The performer needs the engine to speak, the engine needs the performer to run: the later one is looked up.
    performer = Performer(
        clock=clock,
        render=render,
        say=lambda run, said: engine.say(run, said),  # noqa: PLW0108 - looked up when called
        context=lambda run: Context(run, services),
        notice=lambda run, value: engine.emit(run, value),  # noqa: PLW0108 - looked up when called
        ended=lambda run: services.children.end(run),  # noqa: PLW0108 - looked up when called
    )
    loop = asyncio.get_running_loop()
    processes = make_processes(
        settings,
        sources=sources,
        context=lambda run: Context(run, services),
        notice=lambda run, value: engine.emit(run, value),  # noqa: PLW0108 - as above
        redaction=redaction,
        children=lambda: services.children,
        clock=clock,
    )
    pool = Inline(performer, threads=settings.threads, loop=loop, apart=processes)
    executor = Retrying(pool, loop=loop, chance=random)
    books = RedactedBooks(writer, redaction)
    mutes = make_mutes(settings, snapshot.entries)
    paces = Paces(lambda job: durations_of(reader, job))
    engine = Engine(
        catalog, books=books, executor=executor, clock=clock, mark=render.mark, mute=mutes.reason, paces=paces
    )
    services = make_services(settings, engine, books, snapshot, render, clock)
    memory = store if isinstance(store, MemoryStore) else None
    reader = memory or open_reader(settings)
    timetable = Timetable(settings, engine, is_behind=lambda: writer.is_behind)
    digests = make_digests(settings, mutes, engine=engine, books=books, memory=memory, blocking=_blocking(settings))
    return Parts(
        catalog=catalog,
        store=store,
        reader=reader,
        snapshot=snapshot,
        inbox=stores.inbox,
        are_intact=stores.are_intact,
        channels=channels,
        clock=clock,
        writer=writer,
        executor=executor,
        engine=engine,
        sender=make_sender(settings, channels, writer, reader, _tells(settings, engine)),
        make_source=timetable.source,
        replan=timetable.replan,
        reload=reload,
        watch=_watch(settings) if reload else None,
        children=services.children,
        load=lambda: pool.load,
        judge=make_judge(settings, render.mark, mutes.reason),
        accept_entry=lambda entry: (mutes if entry.pack == PACK else services.pocket(entry.pack)).accept(entry),
        look_back=digests.look,
        heartbeat=_heartbeat(settings),
    )


def new_mark() -> Markup:
    """Make the mark that tells our own mentions and links from text; nobody can guess it."""
    return Markup(f"{int.from_bytes(os.urandom(16), 'big') % 10**12:012}")


def make_channels(settings: Settings, out: TextIO) -> Mapping[str, Channel]:
    """Make the channels; what was meant for Slack while there was a token waits for it."""
    console = ConsoleChannel(out, colour=has_colour(out), zone=settings.timezone)
    if settings.token is None or settings.dry_run:
        return {"console": console, "slack": Closed("slack", "there is no token", "Set `token` to send what waits.")}
    from slack_alert.channels.slack import SlackChannel

    slack = SlackChannel(
        settings.token.reveal(),
        username=settings.username,
        icon_emoji=settings.icon_emoji,
        icon_url=settings.icon_url,
        api_url=settings.api_url,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
    )
    return {"console": console, "slack": slack}


def make_sender(
    settings: Settings,
    channels: Mapping[str, Channel],
    books: Books,
    reader: Reader,
    undeliverable: Callable[[Delivery, Outcome], None],
    clock: Clock | None = None,
    waiting: Waiting | None = None,
) -> Sender:
    """Make the sender, of all that waits unless told otherwise; the terminal is never paced."""
    at_once = Pace(0, 1)
    return Sender(
        channels,
        books=books,
        waiting=waiting or reader.waiting,
        last_receipt=reader.last_receipt,
        receipts=Receipts(reader.receipt),
        clock=clock or SystemClock(),
        paces={"console": at_once, "slack": Pace(settings.messages_per_second, settings.burst)},
        give_up=settings.give_up,
        zone=settings.timezone,
        undeliverable=undeliverable,
    )


def make_services(
    settings: Settings, engine: Engine, books: Books, snapshot: Snapshot, render: Render, clock: Clock
) -> Services:
    """Make what the contexts of functions reach the rest of the program through."""

    def say(run: Run, value: object, to: str | None) -> None:
        if said := render(run, value):
            engine.say(run, said, address(settings, to) if to else None)

    return Services(
        mark=render.mark,
        path=settings.path,
        say=say,
        hold=partial(hold_by_name, engine, books),
        now=clock.now,
        pocket=make_pockets(snapshot, lambda entry: books.put(Batch(entries=[entry])), clock),
    )


def make_pockets(snapshot: Snapshot, write: Callable[[Entry], None], clock: Clock) -> Callable[[str], Pocket]:
    """Give the key-value store of each pack, the same one every time."""
    pockets: dict[str, Pocket] = {}

    def pocket(pack: str) -> Pocket:
        if pack not in pockets:
            entries = [entry for entry in snapshot.entries if entry.pack == pack]
            # Two first runs may meet here; the one store that counts is whichever came first.
            pockets.setdefault(pack, Pocket(pack, entries, write=write, now=clock.now))
        return pockets[pack]

    return pocket


def has_colour(out: TextIO) -> bool:
    """Whether colours are welcome there."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _tells(settings: Settings, engine: Engine) -> Callable[[Delivery, Outcome], None]:
    """Tell where errors go that a conversation cannot be reached; once a day for each reason."""
    errors_to = errors_address(settings)

    def undeliverable(delivery: Delivery, outcome: Outcome) -> None:
        lost = delivery.message.to
        if lost == errors_to or delivery.message.key.startswith("undeliverable/"):
            return
        text = f"A message to {lost.shown} could not be delivered ({outcome.reason}). {outcome.hint}".rstrip()
        text += f" `slack-alert outbox retry {delivery.id}` sends it again."
        engine.tell(f"undeliverable/{lost}/{outcome.reason}/{delivery.created.date()}", text, errors_to)

    return undeliverable


def _watch(settings: Settings) -> Watch | None:
    if settings.reload != "auto":
        return None
    from slack_alert.loader.watch import Watch as FolderWatch

    return FolderWatch(plugins_folder(settings.path), blocking=_blocking(settings))


def _heartbeat(settings: Settings) -> Heartbeat | None:
    if settings.heartbeat_url is None:
        return None
    from slack_alert.engine.heartbeat import Heartbeat

    ca_file = str(settings.ca_file) if settings.ca_file else None
    return Heartbeat(settings.heartbeat_url, proxy=settings.proxy, ca_file=ca_file)


def _blocking(settings: Settings) -> Callable[..., Any] | None:  # Any: it gives what the call gives
    if settings.scheduler != "GeventScheduler":
        return None
    from slack_alert.schedulers.gevent import blocking

    return blocking
