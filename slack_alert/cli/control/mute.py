"""`slack-alert mute JOB` and `slack-alert unmute JOB`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, join_names, warn_not_running
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.cli.time_arguments import parse_end
from slack_alert.core.errors import BadValue
from slack_alert.core.units.humanize import format_time

if TYPE_CHECKING:
    from slack_alert.operations.requester import JobChange
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
    who = "All jobs are" if is_all else join_names(done.names, "is", "are")
    echo_change(f"{who} muted until {format_time(until, settings.timezone, asking.at, seconds='today')}.", settings)
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
    echo_change(_unmuted_text(done, is_all=is_all), settings)
    for mute in [each for each in mutes.muted(asking.at) if each.silences_all and not is_all]:
        end = format_time(mute.until, settings.timezone, asking.at, seconds="today")
        click.echo(f"All jobs are muted until {end} by {mute.by}: `slack-alert unmute --all` ends that.", err=True)
    for window in mutes.windows:
        if window.contains(asking.at) and (until := window.next_change(asking.at)):
            end = format_time(until, settings.timezone, asking.at, seconds="today")
            click.echo(f"The quiet window {window.name} goes on until {end}.", err=True)
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


def _unmuted_text(done: JobChange, *, is_all: bool) -> str:
    if is_all:
        return "All jobs speak again." if done.changed else "No job was muted."
    if done.changed:
        return f"{join_names(done.changed, 'speaks', 'speak')} again."
    return f"{join_names(done.names, 'was', 'were')} not muted."
