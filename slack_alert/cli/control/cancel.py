"""`slack-alert cancel N`."""

from __future__ import annotations

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings


@click.command()
@common
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.pass_context
def cancel(ctx: click.Context, /, *, number: int, **flags: object) -> int:
    """End a command that runs, with all its programs, or take one out of the queue. N: its number in `queue`."""
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import queue as operation

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    plugin_loading.check_is_private(settings)
    is_running = database.running_pid(settings) is not None
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
    asked = snapshot.asked if is_running else operation.still_open(snapshot.asked, snapshot.running)
    done = operation.cancel(number, asked, snapshot.running, requester(settings))
    echo_change(operation.canceled_text(done), settings)
    if not done.is_taken:
        click.echo("slack-alert is not running: this holds when it starts.", err=True)
    return exit_codes.FINE
