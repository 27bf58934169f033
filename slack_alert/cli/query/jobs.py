"""`slack-alert jobs`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.units.humanize import counted
from slack_alert.operations.as_json import job_line_json, trigger

if TYPE_CHECKING:
    from slack_alert.core.catalog import Catalog
    from slack_alert.operations.jobs import JobLine
    from slack_alert.settings import Settings


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def jobs(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the jobs with their triggers, next runs and state."""
    from slack_alert.bootstrap import current_mutes, database, plugin_loading
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.jobs import list_jobs

    settings = effective_settings(remember(ctx, flags), concerns=None)
    catalog = plugin_loading.survey_plugins(settings)
    now = SystemClock().now()
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
        lines = list_jobs(catalog, reader, snapshot, current_mutes.make_mutes(settings, snapshot.entries), now=now)
    if as_json:
        echo_json({"jobs": [job_line_json(line, settings.timezone) for line in lines]})
    else:
        _show(lines, catalog, settings, now)
    return exit_codes.FINE


def _show(lines: Sequence[JobLine], catalog: Catalog, settings: Settings, now: datetime) -> None:
    from slack_alert.bootstrap import database
    from slack_alert.cli.output.text_tables import Cell, table
    from slack_alert.cli.query.job_table import next_cells
    from slack_alert.operations.jobs import last_text

    zone = settings.timezone
    rows = [
        (
            Cell(line.bindings[0].name, "bold"),
            trigger(line.bindings),
            *next_cells(line.job, line.outlook, zone, now),
            last_text(line, zone, now),
        )
        for line in lines
    ]
    if rows:
        head = ("JOB", "TRIGGER", "NEXT RUN", "STATE", "LAST RUN")
        echo(table(head, rows, sys.stdout, flexible=(1,)))
    else:
        echo(f"No jobs in {settings.path / 'plugins'}. `slack-alert init` writes an example.")
    for remark in _remarks(lines, catalog, is_running=database.running_pid(settings) is not None):
        click.echo(remark, err=True)


def _remarks(lines: Sequence[JobLine], catalog: Catalog, *, is_running: bool) -> list[str]:
    listed = {line.bindings[0].name for line in lines}
    others = Counter(each[0].kind for each in catalog.functions() if each[0].name not in listed)
    remarks = []
    if others:
        what = " and ".join(counted(number, kind) for kind, number in others.items())
        remarks.append(f"{what} without a time: `slack-alert check` lists them.")
    if catalog.problems:
        remarks.append(f"{counted(len(catalog.problems), 'problem')} in plugin files: see `slack-alert check`.")
    if lines and not is_running:
        remarks.append("slack-alert is not running: next runs are as if it were started now.")
    return remarks
