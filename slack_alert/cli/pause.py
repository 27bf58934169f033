"""`slack-alert pause JOB` and `slack-alert resume JOB`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from slack_alert.cli import codes
from slack_alert.cli.names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output import tell
from slack_alert.cli.session import settings_of
from slack_alert.cli.spoken import local
from slack_alert.core.errors import BadValue

if TYPE_CHECKING:
    from slack_alert.core.bindings import Job
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.option("--for", "duration", metavar="D", help="How long, such as 30m, 2h or 1d; without it until `resume`.")
@click.pass_context
def pause(ctx: click.Context, /, *, job: str, duration: str | None, **flags: object) -> int:
    """Let a job rest, for a while or until `resume`."""
    from slack_alert import bootstrap
    from slack_alert.engine import requests
    from slack_alert.engine.clock import SystemClock

    settings = settings_of(remember(ctx, flags))
    now = SystemClock().now()
    until = _end(duration, now) if duration is not None else None
    found = _job(settings, job)
    is_taken = bootstrap.leave(settings, requests.pause(found.name, until, now))
    end = f"until {local(until, settings.timezone, now)}" if until else f"until `slack-alert resume {found.name}`"
    tell(f"{found.name} is paused {end}.")
    _remark(is_taken=is_taken)
    return codes.FINE


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.pass_context
def resume(ctx: click.Context, /, *, job: str, **flags: object) -> int:
    """Let a paused job run again."""
    from slack_alert import bootstrap
    from slack_alert.engine import requests
    from slack_alert.engine.clock import SystemClock

    settings = settings_of(remember(ctx, flags))
    now = SystemClock().now()
    found = _job(settings, job)
    said = _resumed(settings, found, now)
    is_taken = bootstrap.leave(settings, requests.resume(found.name, now))
    tell(said)
    _remark(is_taken=is_taken)
    return codes.FINE


def _end(duration: str, now: datetime) -> datetime:
    from slack_alert.core.durations import parse_duration

    length = parse_duration(duration)
    if length == timedelta():
        raise BadValue("--for 0 is no pause.", hint="Write how long, such as 30m, 2h or 1d.")
    return now + length


def _job(settings: Settings, name: str) -> Job:
    from slack_alert import bootstrap
    from slack_alert.core.catalog import full_name

    jobs = {job.name: job for job in bootstrap.survey_plugins(settings).jobs}
    return jobs[full_name(name, jobs)]


def _resumed(settings: Settings, job: Job, now: datetime) -> str:
    """Say what `resume` changes: it ends what `pause` began, and the rest after too many alerts."""
    from slack_alert import bootstrap
    from slack_alert.core.policy import rests

    with bootstrap.reading(settings) as reader:
        snapshot = reader.snapshot()
    hold, state = snapshot.holds.get(job.name), snapshot.states.get(job.name)
    is_held = hold is not None and not hold.is_over(now)
    is_resting = state is not None and rests(job.policy, state.alerts, now) and not job.policy.mutes
    return f"{job.name} runs again." if is_held or is_resting else f"{job.name} was not paused."


def _remark(*, is_taken: bool) -> None:
    if not is_taken:
        click.echo("slack-alert is not running: this holds when it starts.", err=True)
