"""`slack-alert mute JOB` and `slack-alert unmute JOB`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, warn_not_running
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.errors import BadValue
from slack_alert.core.units.moments import parse_end

if TYPE_CHECKING:
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--all", "is_all", is_flag=True, help="Every job, those to come as well.")
@click.option("--for", "duration", metavar="D", help="How long, such as 30m, 2h or 1d.")
@click.option("--until", "end", metavar="T", help="Until when: 9:00 is the next one, or 2026-11-23T09:00.")
@click.pass_context
def mute(
    ctx: click.Context, /, *, job: str | None, is_all: bool, duration: str | None, end: str | None, **flags: object
) -> int:
    """Let a job run and say nothing for a while; what it withholds is told in one message when that ends.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import mute as operation

    settings = effective_settings(remember(ctx, flags))
    asking = requester(settings)
    until = _until(duration, end, settings, asking.at)
    _check_target(job, is_all=is_all)
    done = operation.mute(job, plugin_loading.job_lookup(settings), asking, until=until)
    echo_change(operation.muted_text(done, until=until, zone=settings.timezone, now=asking.at), settings)
    warn_not_running(is_taken=done.is_taken)
    return exit_codes.FINE


@click.command()
@common
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--all", "is_all", is_flag=True, help="End every mute, of all jobs and of single ones.")
@click.pass_context
def unmute(ctx: click.Context, /, *, job: str | None, is_all: bool, **flags: object) -> int:
    """Let a muted job speak again, and tell what was withheld.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap import current_mutes, database, plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import mute as operation

    settings = effective_settings(remember(ctx, flags))
    with database.reading(settings) as reader:
        mutes = current_mutes.make_mutes(settings, reader.snapshot().entries)
    _check_target(job, is_all=is_all)
    asking = requester(settings)
    done = operation.unmute(job, plugin_loading.job_lookup(settings), asking, mutes=mutes)
    echo_change(operation.unmuted_text(done), settings)
    for said in operation.still_silent(mutes, "slack-alert unmute --all", is_all=is_all, now=asking.at):
        click.echo(said, err=True)
    warn_not_running(is_taken=done.is_taken)
    return exit_codes.FINE


def _check_target(job: str | None, *, is_all: bool) -> None:
    if is_all and job is not None:
        raise BadValue(f"{job!r} and --all contradict each other.", hint="Write one of them.")
    if not is_all and job is None:
        raise BadValue("It is not said which job.", hint="Write a name, a pattern such as 'db.*', or --all.")


def _until(duration: str | None, end: str | None, settings: Settings, now: datetime) -> datetime:
    from slack_alert.core.units.quantities import parse_duration

    if (duration is None) == (end is None):
        said = "--for and --until contradict each other." if duration else "A mute always has an end."
        raise BadValue(said, hint="Write --for 1h or --until 9:00.")
    until = now + parse_duration(duration) if duration else parse_end(end or "", zone=settings.timezone, now=now)
    if until <= now:
        said = f"--for {duration}" if duration else f"--until {end}"
        raise BadValue(f"{said} is no time ahead.", hint="Write --for 1h or --until 9:00.")
    return until
