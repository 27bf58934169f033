"""`slack-alert emit EVENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings
from slack_alert.core.commands.meant_jobs import parse_field

if TYPE_CHECKING:
    pass


@click.command()
@common
@click.argument("event")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.pass_context
def emit(ctx: click.Context, /, *, event: str, fields: tuple[str, ...], **flags: object) -> int:
    """Tell the jobs with on="EVENT" that it was noticed; numbers, true, false and null are values, the rest is text."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import emit as operation

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    catalog = plugin_loading.survey_plugins(settings)
    done = operation.emit(event, dict(map(parse_field, fields)), catalog, requester(settings))
    echo_change(operation.emitted_text(done, catalog), settings)
    if done.jobs and not done.is_taken:
        click.echo("slack-alert is not running: it is answered when it starts.", err=True)
    return exit_codes.FINE
