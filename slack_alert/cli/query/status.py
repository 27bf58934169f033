"""`slack-alert status`."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.operations.as_json import status_json

if TYPE_CHECKING:
    from slack_alert.cli.output.text_tables import Style
    from slack_alert.operations.status import Vitals


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
        echo_json(status_json(vitals, settings.timezone))
    else:
        _show(vitals, settings.timezone)
    return exit_codes.FINE if vitals.is_alive else exit_codes.FOUND


def _show(vitals: Vitals, zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, paint, table
    from slack_alert.operations.status import status_rows, status_title

    styles: dict[str, Style] = {"ok": "green", "warn": "yellow", "fail": "red"}
    cells = [(Cell(name, "bold"), Cell(mark, styles[mark]), said) for name, mark, said in status_rows(vitals, zone)]
    echo(paint(f"{status_title(vitals)}.", "bold", sys.stdout))
    echo(table(("PART", "STATE", ""), cells, sys.stdout, flexible=()))
