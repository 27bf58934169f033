"""`slack-alert trigger JOB`."""

from __future__ import annotations

import json

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import redacted
from slack_alert.cli.running_program import DISPLAY_SETTINGS, POSTING_SETTINGS, effective_settings
from slack_alert.cli.sending import report_refused, report_unsent
from slack_alert.cli.session import own_output
from slack_alert.core.commands.meant_jobs import parse_field
from slack_alert.core.model.record import Verdict
from slack_alert.core.structs import replace
from slack_alert.operations.as_json import record_json, seconds


@click.command()
@common
@click.argument("job")
@click.argument("given", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--event", "fields", metavar="FIELD=VALUE", multiple=True, help="A field of the event that a rule answers."
)
@click.option("--post", is_flag=True, help="Send the value to the job's channel as well.")
@click.option("--scratch", is_flag=True, help="Leave ctx.store, pauses and history untouched; nothing is sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def trigger(
    ctx: click.Context,
    /,
    *,
    job: str,
    given: tuple[str, ...],
    fields: tuple[str, ...],
    post: bool,
    scratch: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """Run one job now, in this process, and print its value; hours, quota and pause do not bind it.

    FIELD=VALUE, as --event, is what it takes from an event: numbers, true, false and null are values, the rest is text.
    """
    settings = effective_settings(remember(ctx, flags), concerns=DISPLAY_SETTINGS | POSTING_SETTINGS)
    if scratch:
        settings = replace(settings, dry_run=True)
    if post and (lack := settings.missing()):
        raise lack
    with own_output(settings) as out:
        from slack_alert.bootstrap.oneshot import trigger
        from slack_alert.cli.logs import report_failure

        answered = trigger.trigger(settings, job, is_posted=post, fields=dict(map(parse_field, (*given, *fields))))
        record = answered.record
        if as_json:
            line = {**record_json(record, settings.timezone), "duration": seconds(record.duration)}
            line |= {"error": record.error, "printed": record.printed}
            line |= {"events": [{"name": event.name, "fields": dict(event.fields)} for event in answered.events]}
            click.echo(redacted(json.dumps(line, ensure_ascii=False)), file=out)
        else:
            events = [f"{event.name} {json.dumps(dict(event.fields), ensure_ascii=False)}" for event in answered.events]
            click.echo(redacted("\n".join([*filter(None, [record.text]), *events])) or "done", file=out)
            if record.error:
                report_failure(record.binding, record.error)
        if answered.events and not answered.is_taken:
            click.echo("slack-alert is not running: it is answered when it starts.", err=True)
        keys = {message.key for message in answered.messages}
        if answered.is_taken:
            code = report_refused(settings, (message.to for message in answered.messages))
        else:
            code = report_unsent(settings, lambda each: each.message.key in keys) if keys else exit_codes.FINE
    return exit_codes.FOUND if record.verdict is Verdict.ERROR else code
