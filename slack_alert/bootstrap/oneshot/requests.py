"""Submit requests of short commands: to the running program, or carried out here if none runs."""

from __future__ import annotations

import asyncio
import getpass
import logging
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from slack_alert.bootstrap.audit import audit_key
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.database import owning, reading, running_pid
from slack_alert.bootstrap.exec_policy import make_judge
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.plugin_loading import check_can_submit, job_names
from slack_alert.bootstrap.runtime import new_mark
from slack_alert.bootstrap.wiring import Waiting, make_channels, make_sender
from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.model.request import Request
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.delivery.lane import KEPT
from slack_alert.engine.ports import Clock, Inbox, OutboxReader, Recorder, Store
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.requests.apply import apply_request
from slack_alert.operations.requester import Requester
from slack_alert.stores import SqliteInbox, SqliteStore, inbox_path, read_taken

if TYPE_CHECKING:
    from slack_alert.settings import Settings

log = logging.getLogger(__name__)

#: The longest wait for a channel where no other process will send the message.
DELIVERY_TIMEOUT = timedelta(seconds=30)
_POLL_INTERVAL = timedelta(seconds=0.25)
#: A running program looks for requests twice a second; so long, and how often, its answer is looked for.
_TAKEN_TIMEOUT, _GLANCE = timedelta(seconds=5), timedelta(seconds=0.02)
#: Kinds of requests that wait for the next start.
_FOR_THE_PROGRAM = frozenset({"emit", "cancel"})


def requester(settings: Settings, by: str = "") -> Requester:
    """Return the person who asks for changes now: the user, unless it is said who."""
    return Requester(by or person(), SystemClock().now(), partial(submit, settings))


def person() -> str:
    """Return the name of the user who asks; in a container there may be none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"


def submit(
    settings: Settings, *requested: Request, then: Callable[[], object] | None = None, is_awaited: bool = False
) -> bool:
    """Submit requests to the running program; return True if it takes them within a second.

    Return False if none was running: then they were carried out here, as the owner of the database for that moment;
    their messages are delivered as far as the channel takes them in time, and the rest when the program runs. `then` is
    called before that, once the requests cannot be lost any more. With `is_awaited` a running program has carried them
    out when this returns, unless it stands still. A dry run submits nothing and returns True.
    """
    if settings.dry_run:
        return True
    place = database(settings)
    check_can_submit(settings)
    inbox = SqliteInbox(inbox_path(place))
    last = inbox.add(*requested)
    if then is not None:
        then()
    clock = SystemClock()
    until = clock.monotonic() + (2 * DELIVERY_TIMEOUT).total_seconds()
    wait = timedelta()
    while True:
        with owning(settings, wait, is_brief=True) as lock:
            if lock is not None:
                asyncio.run(_process_inbox(settings, SqliteStore(place, audit_key(settings)), inbox))
                return False
        # Another short command reads the inbox only once: requests that came later are for the process that waits here.
        if running_pid(settings) is not None or not _is_pending(inbox, requested) or clock.monotonic() > until:
            if is_awaited:
                _await_taken(place, last, clock)
            return True
        wait = _POLL_INTERVAL


def _await_taken(place: Path, last: int, clock: Clock) -> None:
    until = clock.monotonic() + _TAKEN_TIMEOUT.total_seconds()
    while read_taken(place) < last:
        if clock.monotonic() > until:
            log.warning("the running program has not taken this yet", extra={"hint": "`slack-alert status` says why"})
            return
        time.sleep(_GLANCE.total_seconds())


def print_messages(settings: Settings, messages: Iterable[Message], out: TextIO, *, at: datetime) -> None:
    """Print the messages that would be sent; nothing is stored."""
    console = make_channels(settings, out)["console"]
    for message in messages:
        asyncio.run(console.send(Delivery(0, message, at), None))


def _is_pending(inbox: Inbox, requested: Sequence[Request]) -> bool:
    left = [replace(request, id=0) for request in inbox.peek()]
    return any(request in left for request in requested)


async def _process_inbox(settings: Settings, store: Store, inbox: Inbox) -> None:
    """Process the inbox as the running program would, and send the resulting messages."""
    snapshot = store.open()
    try:
        ids = count(snapshot.last_run + 1)
        states = dict(snapshot.states)
        values = _StoredTexts(snapshot.entries, SystemClock().now())
        judge = make_judge(settings, new_mark(), make_mutes(settings, snapshot.entries).reason)

        def restate(job: str, change: Callable[[State], State]) -> State:
            states[job] = change(states.get(job, State()))
            return states[job]

        new: list[Delivery] = []
        recorder = DirectRecorder(store, SystemClock(), new.extend)
        for request in inbox.peek():
            if request.id > snapshot.taken and request.kind in _FOR_THE_PROGRAM:
                # Only a running program answers events and ends runs: moved to the end of the inbox, it waits for the
                # next start.
                inbox.add(request)
            elif request.id > snapshot.taken:
                batch = apply_request(
                    request, ids.__next__, restate, judge, jobs=partial(job_names, settings), stored=values.text
                )
                _commit(recorder, batch, request)
                values.update(batch.entries)
            inbox.remove((request.id,))
        if new:
            await _deliver(settings, recorder, frozenset(delivery.id for delivery in new))
    finally:
        store.close()


class _StoredTexts:
    """The texts of stored values, as they are while requests are carried out."""

    def __init__(self, entries: Iterable[StoredValue], now: datetime) -> None:
        self._now = now
        self._texts: dict[tuple[str, str], str | None] = {}
        self.update(entries)

    def update(self, entries: Iterable[StoredValue]) -> None:
        for entry in entries:
            is_over = entry.expires is not None and entry.expires <= self._now
            self._texts[entry.pack, entry.key] = None if is_over else entry.value

    def text(self, pack: str, key: str) -> str | None:
        return self._texts.get((pack, key))


def _commit(recorder: Recorder, batch: Batch, request: Request) -> None:
    """Commit the changes of a request; a request that the store can never keep must not block those behind it."""
    try:
        recorder.submit(batch)
    except StoreError:
        raise
    except Exception:
        log.exception("request left out", extra={"kind": request.kind, "request": request.id})


async def _deliver(settings: Settings, recorder: Recorder, ids: frozenset[int]) -> None:
    """Send the messages of these requests; older ones wait for the program, or the person would wait for them too."""
    channels = make_channels(settings, sys.stderr)
    for channel in channels.values():
        await channel.open()
    with reading(settings) as reader:
        mine = _still_waiting(reader, ids)
        # A dead message is in the log and in the outbox, and the command reports it to its user.
        sender = make_sender(settings, channels, recorder, reader, waiting=_waiting_of(mine))
        sender.restore()
        # Made just now by the owner of the database: they cannot have been sent, so the channel need not be asked.
        sender.accept([delivery for delivery in mine if not delivery.attempts])
        await asyncio.sleep(0)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(sender.drained(), DELIVERY_TIMEOUT.total_seconds())
        await sender.stop()
    for channel in channels.values():
        await channel.close()


def _still_waiting(reader: OutboxReader, ids: frozenset[int]) -> list[Delivery]:
    """Return the deliveries with these ids that are still waiting."""
    after, mine = min(ids) - 1, list[Delivery]()
    while page := reader.waiting(None, after, KEPT):
        after = page[-1].id
        mine += [delivery for delivery in page if delivery.id in ids]
    return mine


def _waiting_of(mine: Sequence[Delivery]) -> Waiting:
    """Return a reader of these deliveries only, like the store's of all; at a start, of those attempted before."""

    def waiting(address: str | None, after: int, limit: int) -> list[Delivery]:
        found = [one for one in mine if one.id > after and (one.attempts if address is None else _is_at(one, address))]
        return found[:limit]

    return waiting


def _is_at(delivery: Delivery, address: str) -> bool:
    return str(delivery.message.to) == address
