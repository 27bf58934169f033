"""`slack-alert pause JOB` and `slack-alert resume JOB`."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, warn_not_running
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.errors import BadValue


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.option("--for", "duration", metavar="D", help="How long, such as 30m, 2h or 1d; without it until `resume`.")
@click.pass_context
def pause(ctx: click.Context, /, *, job: str, duration: str | None, **flags: object) -> int:
    """Let a job rest, for a while or until `resume`.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import pause as operation

    settings = effective_settings(remember(ctx, flags))
    asking = requester(settings)
    until = _end(duration, asking.at) if duration is not None else None
    done = operation.pause(job, plugin_loading.job_lookup(settings), asking, until=until)
    again = done.names[0] if len(done.names) == 1 else f"'{job}'"
    resume = f"slack-alert resume {again}"
    echo_change(operation.paused_text(done, resume, until=until, zone=settings.timezone, now=asking.at), settings)
    warn_not_running(is_taken=done.is_taken)
    return exit_codes.FINE


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.pass_context
def resume(ctx: click.Context, /, *, job: str, **flags: object) -> int:
    """Let a paused job run again.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import pause as operation

    settings = effective_settings(remember(ctx, flags))
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
    done = operation.resume(job, plugin_loading.job_lookup(settings), requester(settings), snapshot=snapshot)
    echo_change(operation.resumed_text(done), settings)
    warn_not_running(is_taken=done.is_taken)
    return exit_codes.FINE


def _end(duration: str, now: datetime) -> datetime:
    from slack_alert.core.units.quantities import parse_duration

    length = parse_duration(duration)
    if length == timedelta():
        raise BadValue("--for 0 is no pause.", hint="Write how long, such as 30m, 2h or 1d.")
    return now + length
