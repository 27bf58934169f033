"""Submit requests of short commands: to the running program, or carried out here if none runs."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.database import holder, owning, reading
from slack_alert.bootstrap.exec_policy import make_judge
from slack_alert.bootstrap.oneshot.job_lookup import plain_fields
from slack_alert.bootstrap.oneshot.own_deliveries import still_waiting, waiting_of
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.plugin_loading import check_may_leave, job_names
from slack_alert.bootstrap.runtime import new_mark
from slack_alert.bootstrap.wiring import make_channels, make_sender
from slack_alert.core.content.render import Piece
from slack_alert.core.errors import StoreError
from slack_alert.core.events import Event, fields_of
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.messages import as_text, messages
from slack_alert.core.policy.quota import State
from slack_alert.core.retry import SendResult
from slack_alert.core.structs import Struct, field, replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Inbox, Recorder, Request, Store
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.requests import apply
from slack_alert.engine.requests.external_runs import named
from slack_alert.stores import SqliteInbox, SqliteStore, inbox_path

if TYPE_CHECKING:
    from slack_alert.settings import Settings

log = logging.getLogger(__name__)

#: The longest wait for a channel where no other process will send the message.
PATIENCE = timedelta(seconds=30)
_LOOK = timedelta(seconds=0.25)


def leave(settings: Settings, *requested: Request, then: Callable[[], object] | None = None) -> bool:
    """Submit requests to the running program; return True if it takes them within a second.

    Return False if none was running: then they were carried out here, as the owner of the database for that moment;
    their messages are delivered as far as the channel takes them in time, and the rest when the program runs. `then` is
    called before that, once the requests cannot be lost any more. A dry run submits nothing and returns True.
    """
    if settings.dry_run:
        return True
    place = database(settings)
    check_may_leave(settings)
    inbox = SqliteInbox(inbox_path(place))
    inbox.add(*requested)
    if then is not None:
        then()
    clock = SystemClock()
    until = clock.monotonic() + (2 * PATIENCE).total_seconds()
    wait = timedelta()
    while True:
        with owning(settings, wait, is_brief=True) as lock:
            if lock is not None:
                asyncio.run(_carry_out(settings, SqliteStore(place), inbox))
                return False
        # Another short command reads the inbox only once: requests that came later are for the process that waits here.
        if holder(settings) is not None or not _is_left(inbox, requested) or clock.monotonic() > until:
            return True
        wait = _LOOK


def _is_left(inbox: Inbox, requested: Sequence[Request]) -> bool:
    left = [replace(request, id=0) for request in inbox.peek()]
    return any(request in left for request in requested)


async def _carry_out(settings: Settings, store: Store, inbox: Inbox) -> None:
    """Process the inbox as the running program would, and send the resulting messages."""
    snapshot = store.open()
    try:
        ids = count(snapshot.last_run + 1)
        states = dict(snapshot.states)
        judge = make_judge(settings, new_mark(), make_mutes(settings, snapshot.entries).reason)

        def restate(job: str, change: Callable[[State], State]) -> State:
            states[job] = change(states.get(job, State()))
            return states[job]

        new: list[Delivery] = []
        recorder = DirectRecorder(store, SystemClock(), new.extend)
        for request in inbox.peek():
            if request.id > snapshot.taken and request.kind == "emit":
                # Only a running program answers events; moved to the end of the inbox, it waits for the next start.
                inbox.add(request)
            elif request.id > snapshot.taken:
                left = named(request, partial(job_names, settings))
                _put(recorder, apply.carry_out(left, ids.__next__, restate, judge), request)
            inbox.remove((request.id,))
        if new:
            await _deliver(settings, recorder, frozenset(delivery.id for delivery in new))
    finally:
        store.close()


def _put(recorder: Recorder, batch: Batch, request: Request) -> None:
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
        mine = still_waiting(reader, ids)
        sender = make_sender(settings, channels, recorder, reader, _leave_dead, waiting=waiting_of(mine))
        sender.restore()
        # Made just now by the owner of the database: they cannot have been sent, so the channel need not be asked.
        sender.accept([delivery for delivery in mine if not delivery.attempts])
        await asyncio.sleep(0)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(sender.drained(), PATIENCE.total_seconds())
        await sender.stop()
    for channel in channels.values():
        await channel.close()


def _leave_dead(delivery: Delivery, outcome: SendResult) -> None:
    """Do nothing: a dead message is in the log and in the outbox, and the command reports it to its user."""


class _Heard(Struct):
    """Collects what a run posts, emits and stores while it goes on."""

    to: Address
    said: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    #: What was set in `ctx.store` and is not submitted yet.
    entries: list[StoredValue] = field(default_factory=list)

    def say(self, run: Run, more: tuple[Piece, ...], other: Address | None = None) -> None:
        """Collect a message to the job's channel or to another."""
        told = messages(run, more, other or self.to)
        run.said += len(told)
        run.texts = [*(run.texts or ()), as_text(more)]
        self.said.extend(told)

    def notice(self, run: Run, value: object) -> None:
        """Collect an event that a sensor emits."""
        self.events.append(Event(run.emits or "", SystemClock().now(), plain_fields(fields_of(value))))
