"""`slack-alert emit EVENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.control.event_fields import parse_field
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo_change
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import abridged
from slack_alert.core.units.humanize import counted
from slack_alert.core.units.names import alike, composed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_alert.core.bindings import Job
    from slack_alert.core.catalog import Catalog
    from slack_alert.core.events import Event


@click.command()
@common
@click.argument("event")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.pass_context
def emit(ctx: click.Context, /, *, event: str, fields: tuple[str, ...], **flags: object) -> int:
    """Tell the jobs with on="EVENT" that it was noticed; numbers, true, false and null are values, the rest is text."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot import requests
    from slack_alert.core.catalog import match
    from slack_alert.core.events import Event
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    noticed = Event(_name(event), SystemClock().now(), dict(map(parse_field, fields)))
    catalog = plugin_loading.survey_plugins(settings)
    found = match(catalog, noticed)
    is_taken = requests.submit(settings, build.emit(noticed))
    echo_change(abridged(_answered_text(noticed, found) if found else _unanswered_text(catalog, noticed)), settings)
    if found and not is_taken:
        click.echo("slack-alert is not running: it is answered when it starts.", err=True)
    return exit_codes.FINE


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable() or "=" in text:
        raise BadValue(f"{text!r} is no name of an event.", hint="Write `slack-alert emit backup.done size=12`.")
    return composed(text.strip())


def _answered_text(noticed: Event, found: Sequence[Job]) -> str:
    """Return which jobs answer the event, and which only waited for its arrival."""
    answering = ", ".join(job.name for job in found if not job.is_absence)
    awaiting = ", ".join(job.name for job in found if job.is_absence)
    said = [f"{answering} will answer" if answering else "", f"{awaiting} waited for it" if awaiting else ""]
    return f"{noticed.name}: {'; '.join(filter(None, said))}."


def _unanswered_text(catalog: Catalog, noticed: Event) -> str:
    """Return that no job waits for the event, with a similar name or the names that jobs wait for."""
    rules = [job.rule for job in catalog.jobs if job.rule is not None]
    names = sorted({name for rule in rules for name in rule.on})
    if noticed.name in names:
        return f"{noticed.name}: its fields meet no job's criteria ({counted(len(rules), 'job')} with `on`)."
    near = alike(noticed.name, names, most=1)
    hint = f"Did you mean {near[0]}?" if near else f"Waited for: {', '.join(names) or 'nothing'}."
    return f"{noticed.name}: no job waits for it. {hint}"
