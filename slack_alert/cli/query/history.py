"""`slack-alert history [JOB]`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json_line
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.pipeline.reasons import record_reasons
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import history_json

if TYPE_CHECKING:
    from datetime import tzinfo

    from slack_alert.engine.batches import HistoryLine

#: The default limit of lines for people.
SHOWN = 50


@click.command()
@common
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--since", metavar="T", help="The first moment: 2026-11-21T09:00, 9:00, or 2h (ago).")
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help=f"The newest N lines ({SHOWN}; all with --json)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line per slot.")
@click.pass_context
def history(
    ctx: click.Context, /, *, job: str | None, since: str | None, limit: int | None, as_json: bool, **flags: object
) -> int:
    """List runs with their verdicts and messages, the newest last. JOB: a name, its last part, or a pattern."""
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.history import history as find

    settings = effective_settings(remember(ctx, flags))
    begin = parse_moment(since, zone=settings.timezone, now=SystemClock().now()) if since else None
    with database.reading(settings) as reader:
        shown = limit if as_json else limit or SHOWN
        lines = find(job, reader, plugin_loading.job_lookup(settings), since=begin, limit=shown)
        if as_json:
            for line in lines:
                echo_json_line(history_json(line, settings.timezone))
        else:
            _show(list(lines), settings.timezone)
    return exit_codes.FINE


def _show(lines: list[HistoryLine], zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import history_table

    echo(history_table((line.record for line in lines), zone, sys.stdout, notes=_notes(lines, zone)))


def _notes(lines: Iterable[HistoryLine], zone: tzinfo) -> Iterator[str]:
    """Yield for every line its reason, and the status of messages that did not arrive."""
    for line in lines:
        fate = f"[{line.delivery}]" if line.delivery in {"queued", "dead"} else ""
        yield " | ".join(part for part in (fate, record_reasons(line.record, zone)) if part)
