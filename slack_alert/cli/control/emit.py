"""`slack-alert emit EVENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings
from slack_alert.core.commands.meant_jobs import parse_field
from slack_alert.core.excerpts import abridged
from slack_alert.core.units.humanize import counted
from slack_alert.core.units.names import alike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_alert.core.bindings import Job
    from slack_alert.core.catalog import Catalog


@click.command()
@common
@click.argument("event")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.pass_context
def emit(ctx: click.Context, /, *, event: str, fields: tuple[str, ...], **flags: object) -> int:
    """Tell the jobs with on="EVENT" that it was noticed; numbers, true, false and null are values, the rest is text."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.operations import emit as operation

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    catalog = plugin_loading.survey_plugins(settings)
    done = operation.emit(event, dict(map(parse_field, fields)), catalog, requester(settings))
    name = done.event.name
    said = _answered_text(done.jobs) if done.jobs else _unanswered_text(catalog, name)
    echo_change(abridged(f"{name}: {said}"), settings)
    if done.jobs and not done.is_taken:
        click.echo("slack-alert is not running: it is answered when it starts.", err=True)
    return exit_codes.FINE


def _answered_text(jobs: Sequence[Job]) -> str:
    """Return which jobs answer the event, and which only waited for its arrival."""
    answering = ", ".join(job.name for job in jobs if not job.is_absence)
    awaiting = ", ".join(job.name for job in jobs if job.is_absence)
    said = [f"{answering} will answer" if answering else "", f"{awaiting} waited for it" if awaiting else ""]
    return f"{'; '.join(filter(None, said))}."


def _unanswered_text(catalog: Catalog, name: str) -> str:
    """Return that no job waits for the event, with a similar name or the names that jobs wait for."""
    rules = [job.rule for job in catalog.jobs if job.rule is not None]
    names = sorted({on for rule in rules for on in rule.on})
    if name in names:
        return f"its fields meet no job's criteria ({counted(len(rules), 'job')} with `on`)."
    near = alike(name, names, most=1)
    hint = f"Did you mean {near[0]}?" if near else f"Waited for: {', '.join(names) or 'nothing'}."
    return f"no job waits for it. {hint}"
