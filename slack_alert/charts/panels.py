"""The panels of a report: runs, durations and numbers over time, and the slowest and loudest jobs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta, tzinfo
from typing import Any  # pygal ships no type information.

import pygal
from pygal.style import Style

from slack_alert.charts.xml_text import xml_safe
from slack_alert.core.content.measurements import ITSELF
from slack_alert.core.report.layout import Report, number
from slack_alert.core.report.statistics import PARTS, Period, Summary
from slack_alert.core.units.humanize import format_day, format_time, humanize_duration

# pygal adds a finder to the import path, in a form that Python no longer calls; nothing here needs it.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

#: A panel as SVG, and its height.
Panel = tuple[str, int]

#: The greatest numbers of jobs and of series drawn: more would not be readable.
_MAX_JOBS = 10
_MAX_SERIES = 6
_HEIGHT = 250
_ROW_HEIGHT = 26
_FINE, _FAILED, _NOT_RUN, _ALERT = "#2eb67d", "#e01e5a", "#c9c9cd", "#ecb22e"
_COLOURS = ("#36718f", "#e01e5a", "#2eb67d", "#ecb22e", "#7c4dff", "#8d6e63")
_MAX_VALUE = 1e100
_DAY = timedelta(days=1)


def panels(report: Report, *, width: int, family: str) -> list[Panel]:
    """Return the panels of a report: of a single job its course, of several jobs the slowest and loudest."""
    found = report.found
    easel = _PanelRenderer(report.span, report.zone, width, family)
    drawn = [easel.runs(found)]
    if len(found) == 1:
        drawn += [easel.durations(found[0]), *easel.numbers(found[0])]
    else:
        drawn += [*easel.slowest(found), *easel.loudest(found)]
    return drawn


class _PanelRenderer:
    """Draws the panels of a report."""

    def __init__(self, span: Period, zone: tzinfo, width: int, family: str) -> None:
        self._width = width
        self._family = family
        begins = [span.begin(part) for part in range(PARTS)]
        is_short = span.until - span.since <= _DAY
        self._moments = [
            format_time(at, zone, at, seconds="never") if is_short else format_day(at, zone) for at in begins
        ]

    def runs(self, found: Sequence[Summary]) -> Panel:
        chart = self._over_time(pygal.StackedBar, "Runs", (_FINE, _FAILED, _NOT_RUN), _whole)
        columns = [[each.parts[at] for each in found] for at in range(PARTS)]
        chart.add("without error", [sum(part.fine for part in column) for column in columns])
        chart.add("with an error", [sum(part.failed for part in column) for column in columns])
        if any(each.not_run for each in found):
            chart.add("did not run", [sum(part.not_run for part in column) for column in columns])
        return _rendered(chart), _HEIGHT

    def durations(self, each: Summary) -> Panel:
        chart = self._over_time(pygal.Line, "How long they took", _COLOURS, _seconds)
        for name, pick in (("p50", 0), ("p95", 1)):
            spans = [part.spread[pick] for part in each.parts]
            chart.add(name, [None if span is None else span.total_seconds() for span in spans])
        return _rendered(chart), _HEIGHT

    def numbers(self, each: Summary) -> list[Panel]:
        names = list(each.numbers)[:_MAX_SERIES]
        if not names:
            return []
        more = f" ({len(names)} of {len(each.numbers)})" if len(each.numbers) > len(names) else ""
        chart = self._over_time(pygal.Line, f"What was measured{more}", _COLOURS, number)
        for name in names:
            chart.add("the value" if name == ITSELF else xml_safe(name), list(map(_drawable, each.numbers[name].parts)))
        return [(_rendered(chart), _HEIGHT)]

    def slowest(self, found: Sequence[Summary]) -> list[Panel]:
        timed = [(p95, each.job) for each in found if (p95 := each.spread.p95) is not None]
        top = sorted(timed, key=lambda pair: (-pair[0], pair[1]))[:_MAX_JOBS]
        rows = [(job, [span.total_seconds()]) for span, job in top]
        return self._bars_by_job("How long they took: p95", rows, ["p95"], (_COLOURS[0],), _seconds)

    def loudest(self, found: Sequence[Summary]) -> list[Panel]:
        top = sorted(found, key=lambda each: (-(each.alerts + each.failed), each.job))[:_MAX_JOBS]
        rows = [(each.job, [each.alerts, each.failed]) for each in top if each.alerts or each.failed]
        return self._bars_by_job("Alerts and errors", rows, ["alerts", "errors"], (_ALERT, _FAILED), _whole)

    def _over_time(self, kind: Any, title: str, colours: tuple[str, ...], form: Callable[[float], str]) -> Any:
        chart = self._chart(kind, title, colours, form, _HEIGHT)
        chart.x_labels = self._moments
        chart.x_labels_major = self._moments[:: PARTS // 6]
        chart.show_minor_x_labels = False
        chart.allow_interruptions = True
        chart.include_x_axis = kind is not pygal.Line or form is _seconds
        chart.dots_size = 2.5
        chart.stroke_style = {"width": 2}
        return chart

    def _bars_by_job(
        self,
        title: str,
        rows: Sequence[tuple[str, Sequence[float]]],
        names: Sequence[str],
        colours: tuple[str, ...],
        form: Callable[[float], str],
    ) -> list[Panel]:
        if not rows:
            return []
        tall = 90 + _ROW_HEIGHT * len(rows)
        chart = self._chart(pygal.HorizontalStackedBar, title, colours, form, tall)
        # pygal draws from the bottom up.
        chart.x_labels = [xml_safe(job) for job, _ in reversed(rows)]
        chart.show_legend = len(names) > 1
        for at, name in enumerate(names):
            chart.add(name, [values[at] or None for _, values in reversed(rows)])
        return [(_rendered(chart), tall)]

    def _chart(self, kind: Any, title: str, colours: tuple[str, ...], form: Callable[[float], str], tall: int) -> Any:
        style = Style(
            background="#ffffff",
            plot_background="#ffffff",
            foreground="#616061",
            foreground_strong="#1d1c1d",
            foreground_subtle="#c9c9cd",
            guide_stroke_color="#e8e8e8",
            guide_stroke_dasharray="0",
            major_guide_stroke_color="#e8e8e8",
            major_guide_stroke_dasharray="0",
            opacity="1",
            colors=colours,
            font_family=self._family,
            title_font_size=15,
            label_font_size=12,
            major_label_font_size=12,
            legend_font_size=13,
            value_font_size=11,
            no_data_font_size=16,
        )
        return kind(
            width=self._width,
            height=tall,
            title=title,
            style=style,
            value_formatter=form,
            formatter=form,
            truncate_label=40,
            truncate_legend=24,
            no_data_text="nothing known",
            js=[],
            disable_xml_declaration=True,
            margin_left=16,
            margin_right=24,
            legend_box_size=11,
            max_scale=6,
            show_y_guides=True,
        )


def _rendered(chart: Any) -> str:
    svg: str = chart.render(is_unicode=True)
    # The page sets the size of panels.
    return re.sub(r"<!--.*?-->", "", svg)


def _drawable(one: float | None) -> float | None:
    """Return the value to draw: None for values too great for pygal's scale, 0 for values near 0."""
    if one is None or abs(one) > _MAX_VALUE:
        return None
    return one if abs(one) > 1 / _MAX_VALUE else 0.0


def _whole(count: float) -> str:
    return f"{count:,.0f}" if count == round(count) else ""


def _seconds(seconds: float) -> str:
    return humanize_duration(timedelta(seconds=seconds)) if seconds else "0"
