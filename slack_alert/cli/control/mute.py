"""`slack-alert mute JOB` and `slack-alert unmute JOB`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, find_jobs, join_names, warn_not_running
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.cli.time_arguments import parse_end
from slack_alert.core.errors import BadValue
from slack_alert.core.units.humanize import format_time, plural

if TYPE_CHECKING:
    from slack_alert.engine.mutes.mutes import Mutes
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
    from slack_alert.bootstrap.oneshot import requests, trigger
    from slack_alert.core.policy.mutes import EVERY
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags))
    now = SystemClock().now()
    until = _until(duration, end, settings, now)
    names = [EVERY] if _means_all(job, is_all=is_all) else find_jobs(settings, job or "")
    by = trigger.person()
    is_taken = requests.submit(settings, *(build.mute(name, until, now, by=by) for name in names))
    who = "All jobs are" if is_all else f"{join_names(names)} {plural(len(names), 'is', 'are')}"
    echo_change(f"{who} muted until {format_time(until, settings.timezone, now, seconds='today')}.", settings)
    warn_not_running(is_taken=is_taken)
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
    from slack_alert.bootstrap import current_mutes, database
    from slack_alert.bootstrap.oneshot import requests, trigger
    from slack_alert.core.policy.mutes import EVERY
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags))
    now = SystemClock().now()
    with database.reading(settings) as reader:
        mutes = current_mutes.make_mutes(settings, reader.snapshot().entries)
    muted = [mute.job for mute in mutes.muted(now)]
    means_all = _means_all(job, is_all=is_all)
    names = list(dict.fromkeys([EVERY, *muted])) if means_all else find_jobs(settings, job or "")
    by = trigger.person()
    is_taken = requests.submit(settings, *(build.mute(name, None, now, by=by) for name in names))
    echo_change(_unmuted_text(names, muted, means_all=means_all), settings)
    for remark in _still_quiet(mutes, settings, now, means_all=means_all):
        click.echo(remark, err=True)
    warn_not_running(is_taken=is_taken)
    return exit_codes.FINE


def _means_all(job: str | None, *, is_all: bool) -> bool:
    if is_all and job is not None:
        raise BadValue(f"{job!r} and --all contradict each other.", hint="Write one of them.")
    if not is_all and job is None:
        raise BadValue("It is not said which job.", hint="Write a name, a pattern such as 'db.*', or --all.")
    return is_all


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


def _unmuted_text(names: list[str], muted: list[str], *, means_all: bool) -> str:
    if means_all:
        return "All jobs speak again." if muted else "No job was muted."
    were = [name for name in names if name in muted]
    if were:
        return f"{join_names(were)} {plural(len(were), 'speaks', 'speak')} again."
    return f"{join_names(names)} {plural(len(names), 'was', 'were')} not muted."


def _still_quiet(mutes: Mutes, settings: Settings, now: datetime, *, means_all: bool) -> Iterator[str]:
    """Yield the mutes and quiet windows that still keep the job quiet."""
    zone = settings.timezone
    for mute in mutes.muted(now):
        if mute.silences_all and not means_all:
            end = format_time(mute.until, zone, now, seconds="today")
            yield f"All jobs are muted until {end} by {mute.by}: `slack-alert unmute --all` ends that."
    for window in settings.quiet:
        if window.contains(now) and (change := window.next_change(now)):
            yield f"The quiet window {window.name} goes on until {format_time(change, zone, now, seconds='today')}."
