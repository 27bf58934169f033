"""`slack-alert manifest`; a module of its own, as each command is imported alone."""

from __future__ import annotations

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common
from slack_alert.cli.output.streams import echo


@click.command()
@common
def manifest(**_: object) -> int:
    """Print the Slack app's manifest, to paste at https://api.slack.com/apps: Create New App, From a manifest."""
    from slack_alert.channels.slack import manifest as written

    echo(written().rstrip("\n"))
    return exit_codes.FINE
