"""`slack-alert ack JOB`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, join_names
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.units.humanize import format_time

if TYPE_CHECKING:
    from slack_alert.core.policy.incidents import Incident
    from slack_alert.settings import Settings

#: Only a running program has the incident's message at hand, to edit it or to reply to it.
_UNSHOWN = (
    "slack-alert is not running: this is noted and holds when it starts. Nothing in the channel shows it; "
    "`slack-alert jobs` does."
)


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.option("--by", metavar="NAME", help="Who takes care of it (the name of the user who asks).")
@click.pass_context
def ack(ctx: click.Context, /, *, job: str, by: str | None, **flags: object) -> int:
    """Say that somebody takes care: no repeats, reminders or escalation until the job recovers.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import ack as operation

    settings = effective_settings(remember(ctx, flags))
    asking = requester(settings, (by or "").strip())
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
    done = operation.ack(job, plugin_loading.job_lookup(settings), asking, snapshot=snapshot)
    for name, incident in done.already.items():
        echo(_already_text(name, incident, settings, asking.at))
    fresh = done.change.changed
    if not (fresh or done.already):
        echo(f"{join_names(done.change.names, 'has', 'have')} no open incident that was told.")
        return exit_codes.FOUND
    if fresh:
        when = format_time(asking.at, settings.timezone, asking.at, seconds="today")
        taken = f"{join_names(fresh, 'is', 'are')} taken care of by {asking.by} since {when}"
        echo_change(f"{taken}: quiet until the recovery.", settings)
        if not done.change.is_taken:
            click.echo(_UNSHOWN, err=True)
    return exit_codes.FINE


def _already_text(name: str, incident: Incident, settings: Settings, now: datetime) -> str:
    at = incident.acknowledged_at
    when = f" since {format_time(at, settings.timezone, now, seconds='today')}" if at else ""
    return f"{name} is taken care of by {incident.acknowledged_by}{when} already."
