"""Call the functions for real on a virtual clock; nothing is sent or kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.runtime import make_services, new_mark
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.record import Record
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.context.context import Context
from slack_alert.engine.simulation.doubles import Ledger, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.executors.calling.call import Performer
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import Direct

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def rehearse(settings: Settings, catalog: Catalog, since: datetime, until: datetime, *, ledger: Ledger) -> list[Record]:
    """Really call the functions on a virtual clock; give the history that would be left, nothing is sent or kept.

    `ledger` keeps the messages.
    """
    clock = VirtualClock(since)
    render = Render(new_mark(), Redaction(settings.secrets()))
    performer = Performer(
        clock=clock,
        render=render,
        say=lambda run, said: simulation.engine.say(run, said),  # noqa: PLW0108 - looked up when called
        context=lambda run: Context(run, services),
        notice=lambda run, value: simulation.engine.emit(run, value),  # noqa: PLW0108 - looked up when called
    )
    mute = make_mutes(settings).reason
    simulation = Simulation(catalog, clock, Direct(performer), mark=render.mark, ledger=ledger, mute=mute)
    services = make_services(settings, simulation.engine, ledger, Snapshot(), render, clock)
    simulation.run_until(until)
    return ledger.take()
