"""`slack-alert events`."""

from __future__ import annotations

import sys
from datetime import tzinfo
from time import sleep
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json_line
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_alert.core.events import KeptEvent

#: How often new events are looked for.
_PAUSE_SECONDS = 0.5


@click.command()
@common
@click.argument("name", required=False)
@click.option("--since", metavar="T", help="The first moment: 2026-11-21T09:00, 9:00, or 2h (ago).")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=50, help="The newest N events (50).")
@click.option("--follow", is_flag=True, help="Go on with those that come, until Ctrl+C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per event.")
@click.pass_context
def events(
    ctx: click.Context, /, *, name: str | None, since: str | None, limit: int, follow: bool, as_json: bool,
    **flags: object,
) -> int:  # fmt: skip
    """List events and what became of them, the newest last. NAME: the name of an event, or a pattern such as disk.*."""
    from slack_alert.bootstrap import database
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.events import follow_events, list_events

    settings = effective_settings(remember(ctx, flags))
    zone = settings.timezone
    begin = parse_moment(since, zone=zone, now=SystemClock().now()) if since else None
    with database.reading(settings) as reader:
        found = list_events(reader, name=name, since=begin, limit=limit)
        if as_json:
            for one in found:
                echo_json_line(event_json(one, zone))
        elif found or not follow:
            _show(found, zone)
        if follow:
            after = max([one.event.id for one in found], default=reader.snapshot().last_event)
            for one in follow_events(reader, after, name=name, wait=lambda: sleep(_PAUSE_SECONDS)):
                if as_json:
                    echo_json_line(event_json(one, zone))
                else:
                    echo(_line(one, zone))
                sys.stdout.flush()
    return exit_codes.FINE


def event_json(kept: KeptEvent, zone: tzinfo) -> dict[str, object]:
    """Return an event as JSON."""
    event = kept.event
    return {
        "id": event.id,
        "at": instant(event.at, zone),
        "name": event.name,
        "by": event.by or None,
        "state": str(kept.state),
        "fields": dict(event.fields),
        "cause": event.cause or None,
        "depth": event.depth,
        "waiting": list(kept.waiting),
        "answers": [{"job": each.job, "run": each.run or None} for each in kept.answers],
    }


def _show(found: Sequence[KeptEvent], zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, table

    if not found:
        echo("No events.")
        return
    cells = [_row(one, zone) for one in found]
    rows = [(number, at, Cell(name, "bold"), by, state) for number, at, name, by, state in cells]
    echo(table(("ID", "TIME", "EVENT", "BY", "STATE"), rows, sys.stdout, flexible=(2, 4)))


def _line(kept: KeptEvent, zone: tzinfo) -> str:
    return "  ".join(_row(kept, zone))


def _row(kept: KeptEvent, zone: tzinfo) -> tuple[str, str, str, str, str]:
    from slack_alert.core.units.humanize import format_stamp

    event = kept.event
    return str(event.id), format_stamp(event.at, zone), event.name, event.by or "-", _state(kept)


def _state(kept: KeptEvent) -> str:
    named = kept.waiting or tuple(each.job for each in kept.answers)
    return f"{kept.state}: {', '.join(named)}" if named else str(kept.state)
