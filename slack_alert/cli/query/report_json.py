"""A report as JSON: instants in the configured zone, durations in seconds, memory in bytes."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from slack_alert.cli.output.format import instant, seconds

if TYPE_CHECKING:
    from slack_alert.core.report.layout import Report
    from slack_alert.core.report.statistics import Series, Span, Summary


def report_json(report: Report) -> dict[str, object]:
    """Give what `report --json` prints."""
    span, zone = report.span, report.zone
    return {
        "since": instant(span.since, zone),
        "until": instant(span.until, zone),
        "jobs": [_summary(each, span, zone) for each in report.found],
    }


def _summary(each: Summary, span: Span, zone: tzinfo) -> dict[str, object]:
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


def _series(series: Series, span: Span, zone: tzinfo) -> dict[str, object]:
    means = [[instant(span.begin(part), zone), mean] for part, mean in enumerate(series.parts) if mean is not None]
    return {
        "count": series.count,
        "last": series.last,
        "min": series.least,
        "mean": series.mean,
        "max": series.most,
        "means": means,
    }
