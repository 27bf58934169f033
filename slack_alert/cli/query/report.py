"""`slack-alert report [JOB]`."""

from __future__ import annotations

import secrets
import sys
from datetime import tzinfo
from typing import TYPE_CHECKING, TextIO

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.cli.sending import post
from slack_alert.core.errors import BadValue
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import instant, seconds

if TYPE_CHECKING:
    from slack_alert.core.report.layout import Report
    from slack_alert.core.report.statistics import Period, Series, Summary
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--since", metavar="T", default="1d", help="From when on: 7d (ago), 9:00, or 2026-11-21 (a day ago).")
@click.option("--to", metavar="CHANNEL", help="Post it there, as a picture: #ops, C0123, @ann.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
@click.pass_context
def report(
    ctx: click.Context, /, *, job: str | None, since: str, to: str | None, as_json: bool, **flags: object
) -> int:
    """Sum up runs, durations, errors, alerts and numbers, compared with the time before. JOB: a name or a pattern."""
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.operations.report import report as make

    if to is not None and as_json:
        raise click.UsageError("--to posts a report and --json prints one: choose either.")
    settings = effective_settings(remember(ctx, flags))
    span = _span(since, settings)
    with database.reading(settings) as reader:
        made = make(job, reader, plugin_loading.job_lookup(settings), span=span, zone=settings.timezone)
    if to is not None:
        return _post(settings, made, to)
    if as_json:
        echo_json(report_json(made))
    else:
        show(made, sys.stdout)
    return exit_codes.FINE


def report_json(report: Report) -> dict[str, object]:
    """Return the document of `report --json`."""
    span, zone = report.span, report.zone
    return {
        "since": instant(span.since, zone),
        "until": instant(span.until, zone),
        "jobs": [_summary(each, span, zone) for each in report.found],
    }


def show(made: Report, out: TextIO) -> None:
    """Print a report for people."""
    from slack_alert.cli.output.text_tables import paint, table
    from slack_alert.core.report import layout

    bars = _bars(out)
    echo(f"{paint(made.title, 'bold', out)}\n{made.line}", out)
    if not made.found:
        return
    echo("", out)
    if made.is_of_one:
        [one] = made.found
        lines = layout.job_details(one, made.span.until, made.zone, bars=bars)
        widest = max(len(name) for name, _ in lines)
        echo("\n".join(f"{paint(name.ljust(widest), 'dim', out)}  {words}" for name, words in lines), out)
        if one.numbers:
            echo("\n" + table(*layout.measurement_rows(one.numbers, bars=bars), out, flexible=(0,)), out)
    else:
        head, rows = layout.overview(made.found, made.span.until, bars=bars)
        last = [head.index(name) for name in ("ERRORS", "INCIDENTS", "JOB") if name in head]
        echo(table(head, rows, out, flexible=last), out)
    if notes := layout.footnotes(made.found):
        echo("\n".join(["", *(paint(note, "dim", out) for note in notes)]), out)


def _span(since: str, settings: Settings) -> Period:
    from slack_alert.core.report.statistics import Period
    from slack_alert.engine.clock import SystemClock

    now = SystemClock().now()
    begin = parse_moment(since, zone=settings.timezone, now=now)
    if begin >= now:
        raise BadValue(
            f"--since {since} has not come yet.", hint="A report is about what was: write 7d, or a past day."
        )
    return Period(begin, now)


def _summary(each: Summary, span: Period, zone: tzinfo) -> dict[str, object]:
    return {
        "job": each.job,
        "runs": each.runs,
        "failed": each.failed,
        "success": each.success,
        "not_run": each.not_run,
        "untimed": each.untimed,
        "p50": seconds(each.spread.p50),
        "p95": seconds(each.spread.p95),
        "before": {"p50": seconds(each.before.p50), "p95": seconds(each.before.p95)},
        "longer": [
            {"at": instant(slot, zone), "duration": seconds(duration), "usually": seconds(usually)}
            for slot, duration, usually in each.longer
        ],
        "cpu": seconds(each.cpu),
        "memory": each.memory,
        "errors": dict(each.errors),
        "alerts": each.alerts,
        "withheld": each.withheld,
        "incidents": [
            {"since": instant(since, zone), "until": instant(until, zone), "alerts": alerts}
            for since, until, alerts in each.incidents
        ],
        "numbers": {name: _series(series, span, zone) for name, series in each.numbers.items()},
    }


def _series(series: Series, span: Period, zone: tzinfo) -> dict[str, object]:
    means = [[instant(span.begin(part), zone), mean] for part, mean in enumerate(series.parts) if mean is not None]
    return {
        "count": series.count,
        "last": series.last,
        "min": series.least,
        "mean": series.mean,
        "max": series.most,
        "means": means,
    }


def _bars(out: TextIO) -> str:
    from slack_alert.core.report.layout import ASCII_BARS, BARS

    try:
        BARS.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        return ASCII_BARS
    return BARS


def _post(settings: Settings, made: Report, to: str) -> int:
    from slack_alert.bootstrap import addresses
    from slack_alert.charts import render_png
    from slack_alert.core.content.markup import Markup
    from slack_alert.core.redaction.redaction import Redaction
    from slack_alert.operations.report import report_piece
    from slack_alert.operations.send import make_messages

    address = addresses.address(settings, to)
    piece, reason = report_piece(made, address, Markup(secrets.token_hex(4)), draw=render_png)
    messages = make_messages("report", piece, address, Redaction(settings.secrets()), name="report")
    if reason:
        click.echo(f"slack-alert: it goes as a table, because {reason}.", err=True)
    return post(settings, messages)
