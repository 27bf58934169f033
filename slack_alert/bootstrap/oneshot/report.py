"""Make reports from history, and the pieces in which they are posted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from slack_alert.charts import NoPicture, render_png
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece, Text, Upload
from slack_alert.core.content.tables import key_values, table
from slack_alert.core.model.address import Address
from slack_alert.core.report import layout
from slack_alert.core.report.aggregate import summaries
from slack_alert.core.report.layout import Report
from slack_alert.core.report.statistics import Period

if TYPE_CHECKING:
    from slack_alert.engine.ports import Reader


def read_report(reader: Reader, span: Period, zone: tzinfo, *, what: str, names: Sequence[str] | None) -> Report:
    """Return the report of the named jobs' history; of all jobs if `names` is None."""
    of_one = names[0] if names is not None and len(names) == 1 else None
    wanted = None if names is None else frozenset(names)
    lines = reader.history(job=of_one, since=span.before.since, limit=None)
    records = (line.record for line in lines if wanted is None or line.record.binding in wanted)
    states = reader.snapshot().states.items()
    incidents = {
        job: state.incident if state.is_alerting else None for job, state in states if wanted is None or job in wanted
    }
    return Report(what, span, zone, summaries(records, span, incidents=incidents), of_one is not None)


def report_piece(report: Report, to: Address, mark: Markup) -> tuple[Piece, str]:
    """Return the report as a picture, or as a table with the reason why there is no picture."""
    if not report.found or to.channel == "console":  # A terminal shows no picture.
        return Text(_text(report, mark.escape)), ""
    try:
        drawn = render_png(report)
    except NoPicture as error:
        return Text(_text(report, mark.escape)), str(error)
    comment = f"*{mark.escape(report.title)}*\n{mark.escape(report.line)}"
    return Upload("report.png", drawn, title=report.title, comment=comment), ""


def _text(report: Report, escape: Callable[[str], str]) -> str:
    """Return a report as canonical text, with bars in place of a picture."""
    parts = [escape(report.title), escape(report.line)]
    if report.found:
        parts += _tables(report, escape)
        parts += map(escape, layout.footnotes(report.found))
    return "\n".join(parts)


def _tables(report: Report, escape: Callable[[str], str]) -> list[str]:
    if not report.is_of_one:
        return [_table(layout.overview(report.found, report.span.until), escape)]
    [one] = report.found
    lines = layout.job_details(one, report.span.until, report.zone)
    told = [key_values([(name, escape(words)) for name, words in lines])]
    return [*told, *([_table(layout.measurement_rows(one.numbers), escape)] if one.numbers else [])]


def _table(made: tuple[Sequence[str], Sequence[Sequence[str]]], escape: Callable[[str], str]) -> str:
    head, rows = made
    return table(head, [[escape(cell) for cell in row] for row in rows])
