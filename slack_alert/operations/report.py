"""Sum up the history of jobs, for people to read or to be posted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece, Text, Upload
from slack_alert.core.content.tables import key_values, table
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.address import Address
from slack_alert.core.report import layout
from slack_alert.core.report.aggregate import summaries
from slack_alert.core.report.layout import Report
from slack_alert.core.report.statistics import Period
from slack_alert.engine.ports import Reader
from slack_alert.operations.job_lookup import JobLookup


def report(said: str | None, reader: Reader, lookup: JobLookup, *, span: Period, zone: tzinfo) -> Report:
    """Return the report of the jobs that match; None stands for all jobs."""
    snapshot = reader.snapshot()
    names = lookup.recorded(said, snapshot)
    of_one = names[0] if names is not None and len(names) == 1 else None
    wanted = None if names is None else frozenset(names)
    lines = reader.history(job=of_one, since=span.before.since, limit=None)
    records = (line.record for line in lines if wanted is None or line.record.binding in wanted)
    states = snapshot.states.items()
    incidents = {
        job: state.incident if state.is_alerting else None for job, state in states if wanted is None or job in wanted
    }
    return Report(
        of_one or said or "All jobs", span, zone, summaries(records, span, incidents=incidents), of_one is not None
    )


def report_piece(made: Report, to: Address, mark: Markup, *, draw: Callable[[Report], bytes]) -> tuple[Piece, str]:
    """Return the report as a picture, or as a table with the reason why there is no picture."""
    if not made.found or to.channel == "console":  # A terminal shows no picture.
        return Text(report_text(made, mark.escape)), ""
    try:
        drawn = draw(made)
    except SlackAlertError as error:
        return Text(report_text(made, mark.escape)), str(error)
    comment = f"*{mark.escape(made.title)}*\n{mark.escape(made.line)}"
    return Upload("report.png", drawn, title=made.title, comment=comment), ""


def report_text(made: Report, escape: Callable[[str], str]) -> str:
    """Return a report as canonical text, with bars in place of a picture."""
    parts = [escape(made.title), escape(made.line)]
    if made.found:
        parts += _tables(made, escape)
        parts += map(escape, layout.footnotes(made.found))
    return "\n".join(parts)


def _tables(made: Report, escape: Callable[[str], str]) -> list[str]:
    if not made.is_of_one:
        return [_table(layout.overview(made.found, made.span.until), escape)]
    [one] = made.found
    lines = layout.job_details(one, made.span.until, made.zone)
    told = [key_values([(name, escape(words)) for name, words in lines])]
    return [*told, *([_table(layout.measurement_rows(one.numbers), escape)] if one.numbers else [])]


def _table(rows_under_head: tuple[Sequence[str], Sequence[Sequence[str]]], escape: Callable[[str], str]) -> str:
    head, rows = rows_under_head
    return table(head, [[escape(cell) for cell in row] for row in rows])
