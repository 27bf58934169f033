"""`slack-alert pause JOB` and `slack-alert resume JOB`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job, find_jobs, join_names, warn_not_running
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.errors import BadValue
from slack_alert.core.units.humanize import format_time, plural

if TYPE_CHECKING:
    from slack_alert.core.bindings import Job
    from slack_alert.engine.batches import Snapshot
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.option("--for", "duration", metavar="D", help="How long, such as 30m, 2h or 1d; without it until `resume`.")
@click.pass_context
def pause(ctx: click.Context, /, *, job: str, duration: str | None, **flags: object) -> int:
    """Let a job rest, for a while or until `resume`.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap.oneshot import requests, trigger
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags))
    now = SystemClock().now()
    until = _end(duration, now) if duration is not None else None
    names = find_jobs(settings, job)
    by = trigger.person()
    is_taken = requests.submit(settings, *(build.pause(name, until, now, by=by) for name in names))
    again = names[0] if len(names) == 1 else f"'{job}'"
    end = (
        f"until {format_time(until, settings.timezone, now, seconds='today')}"
        if until
        else f"until `slack-alert resume {again}`"
    )
    echo_change(f"{join_names(names)} {plural(len(names), 'is', 'are')} paused {end}.", settings)
    warn_not_running(is_taken=is_taken)
    return exit_codes.FINE


@click.command()
@common
@click.argument("job", shell_complete=complete_job)
@click.pass_context
def resume(ctx: click.Context, /, *, job: str, **flags: object) -> int:
    """Let a paused job run again.

    JOB: a name, its last part, or a pattern such as 'db.*'.
    """
    from slack_alert.bootstrap.oneshot import requests
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags))
    now = SystemClock().now()
    names = find_jobs(settings, job)
    said = _resumed_text(settings, names, now)
    is_taken = requests.submit(settings, *(build.resume(name, now) for name in names))
    echo_change(said, settings)
    warn_not_running(is_taken=is_taken)
    return exit_codes.FINE


def _end(duration: str, now: datetime) -> datetime:
    from slack_alert.core.units.quantities import parse_duration

    length = parse_duration(duration)
    if length == timedelta():
        raise BadValue("--for 0 is no pause.", hint="Write how long, such as 30m, 2h or 1d.")
    return now + length


def _resumed_text(settings: Settings, names: list[str], now: datetime) -> str:
    """Return what `resume` changes: it ends a pause, also one after too many alerts."""
    from slack_alert.bootstrap import database, plugin_loading

    jobs = {job.name: job for job in plugin_loading.survey_plugins(settings).jobs}
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
    rested = [name for name in names if _rests(jobs[name], snapshot, now)]
    if rested:
        return f"{join_names(rested)} {plural(len(rested), 'runs', 'run')} again."
    return f"{join_names(names)} {plural(len(names), 'was', 'were')} not paused."


def _rests(job: Job, snapshot: Snapshot, now: datetime) -> bool:
    from slack_alert.core.policy.quota import is_quota_used_up

    hold, state = snapshot.holds.get(job.name), snapshot.states.get(job.name)
    is_held = hold is not None and not hold.is_over(now)
    return is_held or (state is not None and is_quota_used_up(job.policy, state.alerts, now) and not job.policy.mutes)
