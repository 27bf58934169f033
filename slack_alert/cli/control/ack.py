"""`slack-alert ack JOB`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, find_jobs, join_names
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.units.humanize import format_time, plural

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
    from slack_alert.bootstrap.oneshot import requests, trigger
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags))
    now = SystemClock().now()
    names = find_jobs(settings, job)
    told = _open_incidents(settings, names)
    for name, incident in told.items():
        if incident.acknowledged_by:
            echo(_already_text(name, incident, settings, now))
    fresh = [name for name, incident in told.items() if not incident.acknowledged_by]
    if not told:
        echo(f"{join_names(names)} {plural(len(names), 'has', 'have')} no open incident that was told.")
        return exit_codes.FOUND
    if fresh:
        who = (by or "").strip() or trigger.person()
        is_taken = requests.submit(settings, *(build.acknowledge(name, now, by=who) for name in fresh))
        when = format_time(now, settings.timezone, now, seconds="today")
        are = plural(len(fresh), "is", "are")
        echo_change(
            f"{join_names(fresh)} {are} taken care of by {who} since {when}: quiet until the recovery.", settings
        )
        if not is_taken:
            click.echo(_UNSHOWN, err=True)
    return exit_codes.FINE


def _open_incidents(settings: Settings, names: list[str]) -> dict[str, Incident]:
    """Return the open incidents that were posted, by job."""
    from slack_alert.bootstrap import database

    with database.reading(settings) as reader:
        states = reader.snapshot().states
    found = {name: states[name].incident for name in names if name in states and states[name].is_alerting}
    return {name: incident for name, incident in found.items() if incident is not None and incident.told is not None}


def _already_text(name: str, incident: Incident, settings: Settings, now: datetime) -> str:
    at = incident.acknowledged_at
    when = f" since {format_time(at, settings.timezone, now, seconds='today')}" if at else ""
    return f"{name} is taken care of by {incident.acknowledged_by}{when} already."
