"""`slack-alert status`."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.format import instant
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.structs import asdict

if TYPE_CHECKING:
    from slack_alert.cli.output.text_tables import Style
    from slack_alert.operations.sensors import SensorVitals
    from slack_alert.operations.status import DoorVitals, Vitals


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def status(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Tell whether it is alive: clock, delivery, pool, queue, database; exit 1 when not."""
    from slack_alert.bootstrap.oneshot.status import read_vitals
    from slack_alert.loader import plugins_folder

    settings = effective_settings(remember(ctx, flags))
    plugins_folder(settings.path)
    vitals = read_vitals(settings)
    if as_json:
        echo_json(_json(vitals, settings.timezone))
    else:
        _show(vitals, settings.timezone)
    return exit_codes.FINE if vitals.is_alive else exit_codes.FOUND


def _json(vitals: Vitals, zone: tzinfo) -> dict[str, object]:
    store = vitals.store
    return {
        "alive": vitals.is_alive,
        "pid": store.pid,
        "clock": {
            "ok": vitals.is_turning, "at": instant(vitals.at, zone), "still_since": instant(vitals.still_since, zone),
        },
        "delivery": {"ok": vitals.is_delivering, "refused": list(vitals.refused), "stalled": list(vitals.stalled)},
        "queue": {
            "ok": not store.dead, "queued": store.queued, "dead": store.dead, "died": store.died, "runs": vitals.runs,
        },
        "pool": {"ok": vitals.is_roomy, **asdict(vitals.pool)},
        "heartbeat": {"ok": vitals.heartbeat is None, "error": vitals.heartbeat},
        "database": {
            "ok": store.fault is None, "path": str(store.path), "made": store.is_made, "error": store.fault,
        },
        **({"sensors": [_sensor_json(each, zone) for each in vitals.sensors]} if vitals.sensors else {}),
        **({"doors": [_door_json(door, zone) for door in vitals.doors]} if vitals.doors else {}),
    }  # fmt: skip


def _door_json(door: DoorVitals, zone: tzinfo) -> dict[str, object]:
    return {
        "ok": door.is_open, "name": door.name, "since": instant(door.since, zone), "reason": door.reason or None,
    }  # fmt: skip


def _sensor_json(sensor: SensorVitals, zone: tzinfo) -> dict[str, object]:
    return {
        "ok": sensor.phase in ("running", "exited", "paused") and not sensor.is_held_back, "name": sensor.name,
        "state": str(sensor.phase), "pid": sensor.pid, "since": instant(sensor.since, zone),
        "restarts": sensor.restarts, "events": sensor.events, "failure": sensor.failure or None,
    }  # fmt: skip


def _show(vitals: Vitals, zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, paint, table
    from slack_alert.operations.status import status_rows, status_title

    styles: dict[str, Style] = {"ok": "green", "warn": "yellow", "fail": "red"}
    cells = [(Cell(name, "bold"), Cell(mark, styles[mark]), said) for name, mark, said in status_rows(vitals, zone)]
    echo(paint(f"{status_title(vitals)}.", "bold", sys.stdout))
    echo(table(("PART", "STATE", ""), cells, sys.stdout, flexible=()))
