"""Complete the names of jobs, and say that a change of them waits."""

from __future__ import annotations

import click

from slack_alert.cli.session import configured
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.units.names import composed

#: The options that decide where the plugins are.
_PLACES = ("path", "config", "ignore_global_config")


def warn_not_running(*, is_taken: bool) -> None:
    """Print, if no program runs, that the change takes effect at the next start."""
    if not is_taken:
        click.echo("slack-alert is not running: this holds when it starts.", err=True)


def complete_job(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a job's name; none where the project has errors, which a shell cannot show."""
    from slack_alert.bootstrap import plugin_loading

    before = ctx.parent.params if ctx.parent else {}
    given = {name: ctx.params.get(name) or before.get(name) for name in _PLACES}
    try:
        jobs = plugin_loading.survey_plugins(configured(given).settings).jobs
    except (SlackAlertError, OSError):
        return []
    return [job.name for job in jobs if job.name.startswith(composed(incomplete))]
