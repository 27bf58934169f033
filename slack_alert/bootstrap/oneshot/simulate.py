"""Replay recorded history under the present configuration, and rehearse jobs on a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.database import reading
from slack_alert.bootstrap.runtime import make_services, new_mark
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.message import DeliveryMode, Status
from slack_alert.core.model.record import Record
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.whatif.replay import RecordedLine, ReplayDifference, recorded_line, replay
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.context.key_value import key_value_stores
from slack_alert.engine.durable_values import write_durably
from slack_alert.engine.ports import HistoryReader
from slack_alert.engine.simulation.doubles import MemoryRecorder, TransparentCipher, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import DirectExecutor

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: This much time before the beginning is replayed too, so that quotas and incidents are as they would have been.
_WARM_UP = timedelta(days=1)


def replay_history(settings: Settings, catalog: Catalog, since: datetime, until: datetime) -> ReplayDifference:
    """Compare the messages of this time with those that the present plugins and configuration would have posted."""
    lead = max([_WARM_UP, *(job.policy.pause_time for job in catalog.jobs)])
    with reading(settings) as reader:
        pasts = _recorded_lines(reader, since - lead, until)
        return replay(catalog.jobs, pasts, since=since, mark=new_mark(), mute=make_mutes(settings).reason)


def _recorded_lines(reader: HistoryReader, begin: datetime, until: datetime) -> Iterator[RecordedLine]:
    messages = _messages(reader)
    for line in reader.history(job=None, since=begin, limit=None):
        if line.record.slot < until:
            yield recorded_line(line.record, messages.get(line.record.run, ()))


def _messages(reader: HistoryReader) -> dict[int, list[tuple[DeliveryMode, Status]]]:
    """Return the delivery modes and statuses of the messages by run."""
    messages: dict[int, list[tuple[DeliveryMode, Status]]] = {}
    for delivery in reader.deliveries():
        if (run := delivery.message.origin.run) is not None:
            messages.setdefault(run, []).append((delivery.message.manner, delivery.status))
    return messages


def rehearse(
    settings: Settings, catalog: Catalog, since: datetime, until: datetime, *, recorder: MemoryRecorder
) -> list[Record]:
    """Call the real functions on a virtual clock; return the resulting history. Nothing is sent or stored.

    `recorder` collects the messages.
    """
    render = Render(new_mark(), Redaction(settings.secrets()))
    simulation = make_simulation(
        settings, catalog, VirtualClock(since), recorder=recorder, render=render, mute=make_mutes(settings).reason
    )
    simulation.run_until(until)
    return recorder.drain()


def make_simulation(
    settings: Settings,
    catalog: Catalog,
    clock: VirtualClock,
    *,
    recorder: MemoryRecorder,
    render: Render,
    snapshot: Snapshot | None = None,
    mute: MuteReason = never_muted,
) -> Simulation:
    """Make a simulation that calls the real functions."""
    entries = snapshot.entries if snapshot is not None else ()
    values = key_value_stores(
        entries, write=partial(write_durably, recorder), now=clock.now, cipher=TransparentCipher()
    )
    return Simulation(
        catalog,
        clock,
        DirectExecutor(Caller(clock, render)),
        mark=render.mark,
        recorder=recorder,
        services=make_services(settings, render, clock, values),
        mute=mute,
    )
