"""`slack-alert sensors`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.operations.as_json import instant, job_json, trigger

if TYPE_CHECKING:
    from slack_alert.operations.sensors import SensorLine


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def sensors(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the sensors: the functions whose values become events, and what those that run for ever are at."""
    from slack_alert.bootstrap import current_mutes, database, plugin_loading
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.sensors import list_sensors

    settings = effective_settings(remember(ctx, flags), concerns=None)
    catalog = plugin_loading.survey_plugins(settings)
    now, is_running = SystemClock().now(), database.running_pid(settings) is not None
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
        mutes = current_mutes.make_mutes(settings, snapshot.entries)
        lines = list_sensors(catalog, reader, snapshot, mutes, now=now, is_running=is_running)
    if as_json:
        echo_json({"sensors": [_json(line, settings.timezone) for line in lines]})
    elif lines:
        _show(lines, settings.timezone, now)
    else:
        echo("No sensors: a function with `emits` is one.")
    return exit_codes.FINE


def _json(line: SensorLine, zone: tzinfo) -> dict[str, object]:
    vitals = line.vitals
    return {
        **job_json(line.bindings),
        "kind": line.kind,
        "emits": ", ".join(line.job.emits),
        "state": line.state.replace(" ", "_"),
        "pid": vitals.pid if vitals else None,
        "since": instant(vitals.since, zone) if vitals else None,
        "restarts": vitals.restarts if vitals else None,
        "events": vitals.events if vitals else None,
        "failure": line.failure or None,
    }


def _show(lines: Sequence[SensorLine], zone: tzinfo, now: datetime) -> None:
    from slack_alert.cli.output.text_tables import Cell, table
    from slack_alert.operations.sensors import state_text

    rows = [
        (
            Cell(line.job.name, "bold"),
            trigger(line.bindings),
            ", ".join(line.job.emits),
            Cell(state_text(line, zone, now), "green" if line.state in ("active", "running") else "yellow"),
            f"{line.vitals.events:,}" if line.vitals else "-",
            f"{line.vitals.restarts:,}" if line.vitals else "-",
            line.failure or "-",
        )
        for line in lines
    ]
    head = ("SENSOR", "TRIGGER", "EMITS", "STATE", "EVENTS", "RESTARTS", "LAST FAILURE")
    echo(table(head, rows, sys.stdout, flexible=(6, 3, 2)))
