"""`slack-alert queue`."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings

if TYPE_CHECKING:
    from slack_alert.core.commands.queue_view import QueueView


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def queue(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the commands that run, those that wait with their places, and those for later."""
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.core.commands.command import Command
    from slack_alert.core.commands.queue_view import queue_json
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.commands.past_runs import PastRuns
    from slack_alert.operations.queue import queue_view, still_open

    settings = effective_settings(remember(ctx, flags))
    commands = [each for each in plugin_loading.survey_plugins(settings).bindings if isinstance(each, Command)]
    is_running = database.running_pid(settings) is not None
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
        view = queue_view(
            snapshot.asked if is_running else still_open(snapshot.asked, snapshot.running),
            snapshot.running,
            commands,
            PastRuns(reader).usual,
            SystemClock().now(),
            limits=settings.queues,
        )
    if as_json:
        echo_json(queue_json(view, settings.timezone))
    else:
        _show(view, settings.timezone)
    if (view.waiting or view.later) and not is_running:
        click.echo("slack-alert is not running: what waits goes on when it starts.", err=True)
    return exit_codes.FINE


def _show(view: QueueView, zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, table
    from slack_alert.core.commands.queue_view import state_text

    views = (*view.running, *view.waiting, *view.later)
    if not views:
        echo("Nothing runs, and nothing waits.")
        return
    rows = [
        (Cell(str(each.run.run), "bold"), each.run.words, each.run.name or each.run.by, state_text(each, zone))
        for each in views
    ]
    echo(table(("RUN", "COMMAND", "BY", "STATE"), rows, sys.stdout, flexible=(1,)))
