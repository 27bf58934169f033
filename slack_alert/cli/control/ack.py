"""`slack-alert ack JOB`."""

from __future__ import annotations

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change
from slack_alert.cli.running_program import effective_settings

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
    *unchanged, last = operation.acknowledged_text(done, asking.by, zone=settings.timezone, now=asking.at)
    for sentence in unchanged:
        echo(sentence)
    if not done.change.changed:
        echo(last)
        return exit_codes.FINE if done.already else exit_codes.FOUND
    echo_change(last, settings)
    if not done.change.is_taken:
        click.echo(_UNSHOWN, err=True)
    return exit_codes.FINE
