"""What short commands do: leave a request, run one job here and now, rehearse."""

from __future__ import annotations

import asyncio
import getpass
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

from slack_alert.bootstrap.assembly import make_channels, make_pockets, make_sender, make_services, new_mark
from slack_alert.bootstrap.places import address, database, load_plugins, owning, reading
from slack_alert.core.backoff import Outcome
from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model import Delivery, Record, Result, Run
from slack_alert.core.pipeline import answer
from slack_alert.core.policy import Hold, State
from slack_alert.core.redaction import Redaction
from slack_alert.core.values import Piece
from slack_alert.engine import requests
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.context import Context, Services
from slack_alert.engine.ports import Books, Entry, Inbox, Request, Snapshot, Store
from slack_alert.engine.redacted import redacted_message, redacted_record
from slack_alert.engine.simulation import Ledger, Simulation, VirtualClock
from slack_alert.engine.writer import DirectBooks
from slack_alert.executors.inline import Direct
from slack_alert.executors.perform import Performer, Render
from slack_alert.stores import SqliteInbox, SqliteStore, inbox_path

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: How long a message waits for its channel when nobody else will send it.
_DELIVER = timedelta(seconds=30)


def leave(settings: Settings, request: Request) -> bool:
    """Leave a request for the running program: True: it takes it within a second.

    False: nobody was running, so it was carried out here and now, as the owner for that moment; what it says is
    delivered as far as the channel takes it in time, the rest goes out when the program runs.
    """
    place = database(settings)
    inbox = SqliteInbox(inbox_path(place))
    inbox.put(request)
    with owning(settings, timedelta()) as is_owner:
        if not is_owner:
            return True
        asyncio.run(_carry_out(settings, SqliteStore(place), inbox))
    return False


async def _carry_out(settings: Settings, store: Store, inbox: Inbox) -> None:
    """Do what the running program would do with the inbox, and send what came of it."""
    snapshot = store.open()
    try:
        ids = count(snapshot.last_run + 1)
        new: list[Delivery] = []
        books = DirectBooks(store, SystemClock(), new.extend)
        for request in inbox.peek():
            if request.id > snapshot.taken:
                books.put(requests.carry_out(request, ids.__next__, lambda job: snapshot.states.get(job, State())))
            inbox.remove((request.id,))
        if new:
            await _deliver(settings, books)
    finally:
        store.close()


async def _deliver(settings: Settings, books: Books) -> None:
    channels = make_channels(settings, sys.stderr)
    for channel in channels.values():
        await channel.open()
    with reading(settings) as reader:
        sender = make_sender(settings, channels, books, reader, _leave_dead)
        sender.begin()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(sender.drained(), _DELIVER.total_seconds())
        await sender.stop()
    for channel in channels.values():
        await channel.close()


def _leave_dead(delivery: Delivery, outcome: Outcome) -> None:
    """Do nothing more: a dead message is in the log and in the outbox, and the person who sent it is looking."""


def trigger(settings: Settings, job: str, *, is_posted: bool) -> Record:
    """Call one function here and now because a person asked; it is recorded, and said where asked for."""
    catalog = load_plugins(settings)
    binding = catalog.find(job)
    run = Run(0, binding.name, binding.action, SystemClock().now(), asked_by=getpass.getuser())
    result = _called(settings, catalog, run)
    to = binding.to if isinstance(binding, Job) else address(settings)
    settlement = answer(run, result, to, new_mark())
    record = Record(
        0,
        binding.name,
        run.slot,
        settlement.verdict,
        run.started,
        result.duration,
        settlement.text,
        to.shown if is_posted else None,
        error=result.failure.traceback if result.failure else None,
        printed="".join(run.printed) if run.printed else None,
    )
    redaction = Redaction(settings.secrets())
    record = redacted_record(record, redaction)
    key = uuid4().hex
    told = tuple(
        redacted_message(replace(message, key=f"{key}#{n}"), redaction) for n, message in enumerate(settlement.messages)
    )
    if not settings.dry_run:
        leave(settings, requests.recorded(record, told if is_posted else (), run.slot))
    return record


def _called(settings: Settings, catalog: Catalog, run: Run) -> Result:
    """Call the run's function; all it says on its way becomes part of the result."""
    clock = SystemClock()
    render = Render(new_mark(), Redaction(settings.secrets()))
    said: list[Piece] = []

    def hold(name: str, hold: Hold | None) -> None:
        full = catalog.find(name).name
        left = requests.resume(full, clock.now()) if hold is None else requests.pause(full, hold.until, clock.now())
        leave(settings, left)

    def keep(entry: Entry) -> None:
        leave(settings, requests.kept(entry, clock.now()))

    with reading(settings) as reader:
        remembered = reader.snapshot()
    services = Services(
        mark=render.mark,
        path=settings.path,
        say=lambda _, value, __: said.extend(render(run, value)),
        hold=hold,
        now=clock.now,
        pocket=make_pockets(remembered, keep, clock),
    )
    performer = Performer(
        clock=clock, render=render, say=lambda _, more: said.extend(more), context=lambda run: Context(run, services)
    )
    result = Direct(performer).call(run)
    return result._replace(pieces=(*said, *result.pieces))


def rehearse(settings: Settings, catalog: Catalog, since: datetime, until: datetime) -> list[Record]:
    """Really call the functions on a virtual clock; give the history that would be left, nothing is sent or kept."""
    clock = VirtualClock(since)
    render = Render(new_mark(), Redaction(settings.secrets()))
    ledger = Ledger()
    performer = Performer(
        clock=clock,
        render=render,
        say=lambda run, said: simulation.engine.say(run, said),  # noqa: PLW0108 - looked up when called
        context=lambda run: Context(run, services),
    )
    simulation = Simulation(catalog, clock, Direct(performer), mark=render.mark, ledger=ledger)
    services = make_services(settings, simulation.engine, ledger, Snapshot(), render, clock)
    simulation.run_until(until)
    return ledger.take()
