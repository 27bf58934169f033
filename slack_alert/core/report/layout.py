"""Lay out reports as lines of text, for terminals, messages and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.content.measurements import ITSELF
from slack_alert.core.report.statistics import PARTS, DurationSpread, Period, Series, Summary, trend
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted, format_length, format_period, format_time, humanize_duration

BARS = "▁▂▃▄▅▆▇█"
#: For terminals that show ASCII only.
ASCII_BARS = "_-~:=+*#"
#: Shown where nothing is known; not a space, because tables strip it.
GAPS = {BARS: "·", ASCII_BARS: "."}


def sparkline(numbers: Sequence[float | None], *, bars: str = BARS, floor: float | None = None) -> str:
    """Return numbers as bars, from the least (or `floor`, if that is less) to the greatest, with gaps for None.

    Equal numbers are all drawn as the lowest bar.
    """
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    least = min(known) if floor is None else min(floor, *known)
    gap = GAPS.get(bars, " ")
    return "".join(gap if number is None else bars[_height(number, least, max(known), len(bars))] for number in numbers)


def _height(number: float, least: float, most: float, bars: int) -> int:
    # Halved first: the difference of large numbers could be infinite.
    span = most / 2 - least / 2
    return min(bars - 1, int((number / 2 - least / 2) / span * bars)) if span else 0


#: Number of lines of one kind shown for a job, the newest ones.
_MAX_LINES = 5

Row = tuple[str, ...]


class Report(Struct, frozen=True):
    """A report on some jobs, or in more detail on one."""

    what: str
    span: Period
    zone: tzinfo
    found: Sequence[Summary]
    is_of_one: bool = False

    @property
    def title(self) -> str:
        """The subject and the period."""
        return title(self.what, self.span, self.zone)

    @property
    def line(self) -> str:
        """The whole report in one line."""
        return totals(self.found) if self.found else "No runs."


def title(what: str, span: Period, zone: tzinfo) -> str:
    """Return the subject and the period as a title."""
    length = format_length(span.until - span.since, is_exact=True)
    return f"{what}, {format_period(span.since, span.until, zone)} ({length})"


def totals(found: Sequence[Summary]) -> str:
    """Return the totals of all jobs as one line."""
    runs, failed = sum(each.runs for each in found), sum(each.failed for each in found)
    incidents, going_on = sum(len(each.incidents) for each in found), sum(each.is_open for each in found)
    parts = [
        *([counted(len(found), "job")] if len(found) > 1 else []),
        counted(runs, "run"),
        *([f"{percent((runs - failed) / runs)} without error"] if runs else []),
        counted(sum(each.alerts for each in found), "alert"),
        counted(incidents, "incident") + (f" ({going_on} open)" if going_on else ""),
    ]
    return ", ".join(parts)


def overview(found: Sequence[Summary], now: datetime, *, bars: str = BARS) -> tuple[Row, list[Row]]:
    """Return the headings and a row for each job; empty columns are left out."""
    rows = [
        {
            "JOB": each.job,
            "RUNS": f"{each.runs:,}",
            "OK": percent(each.success),
            "P50": timed(each.spread.p50, each.before.p50),
            "P95": timed(each.spread.p95, each.before.p95),
            "P95 OVER TIME": _durations_line(each, bars, width=PARTS // 2),
            "LONGER": f"{len(each.longer):,}" if each.longer else "",
            "CPU": humanize_duration(each.cpu) if each.cpu is not None else "",
            "MEMORY": _size(each.memory) if each.memory else "",
            "ALERTS": _alerts(each),
            "INCIDENTS": _incidents(each, now),
            "ERRORS": kinds(each.errors),
        }
        for each in found
    ]
    names = tuple(name for name in _HEAD if name in _ALWAYS or any(row[name] for row in rows))
    return names, [tuple(row[name] for name in names) for row in rows]


def job_details(each: Summary, now: datetime, zone: tzinfo, *, bars: str = BARS) -> list[Row]:
    """Return the details of a job as rows of a label and a text."""
    lines: list[Row] = [("runs", _runs(each))]
    if each.spread.p50 is not None:
        lines.append(("duration", _durations(each.spread, each.before)))
        lines.append(("p95 over time", _durations_line(each, bars)))
    for longer in each.longer[-_MAX_LINES:]:
        took = f"{humanize_duration(longer.duration)}, usually {humanize_duration(longer.usually)}"
        lines.append(("took longer", f"{_stamp(longer.slot, zone)}: {took}"))
    if len(each.longer) > _MAX_LINES:
        lines.append(("", f"{len(each.longer) - _MAX_LINES:,} earlier ones"))
    if each.cpu is not None:
        memory = f", at most {_size(each.memory)} of memory" if each.memory else ""
        lines.append(("processor", f"{humanize_duration(each.cpu)}{memory}"))
    lines.append(("errors", kinds(each.errors) or "none"))
    lines.append(("alerts", _alerts(each)))
    lines += [("incident", told) for told in _incident_lines(each, now, zone)] or [("incidents", "none")]
    return lines


def measurement_rows(numbers: Mapping[str, Series], *, bars: str = BARS) -> tuple[Row, list[Row]]:
    """Return the headings and a row for each measurement."""
    rows = [
        (name or "the value", *map(number, (one.last, one.least, one.mean, one.most)), sparkline(one.parts, bars=bars))
        for name, one in numbers.items()
    ]
    return ("VALUE" if set(numbers) == {ITSELF} else "NUMBER", "LAST", "MIN", "MEAN", "MAX", "OVER TIME"), rows


def footnotes(found: Sequence[Summary]) -> list[str]:
    """Return notes that explain the numbers."""
    untimed = sum(each.untimed for each in found)
    notes = [f"{counted(untimed, 'run')} without a known duration: folded, or cut off."] if untimed else []
    if any(trend(each.spread.p50, each.before.p50) is not None for each in found):
        notes.append("+ and - compare with the same length of time before.")
    if any(each.longer for each in found):
        notes.append("Longer: over a second, and over 1.2 times the median of the 20 runs before.")
    return notes


def percent(share: float | None) -> str:
    """Return a share as a percentage; it is only rounded to 0% or 100% if it is exact."""
    if share is None:
        return ""
    if share in {0.0, 1.0}:
        return f"{share:.0%}"
    return f"{min(99.9, max(0.1, share * 100)):.1f}%"


def timed(duration: timedelta | None, before: timedelta | None) -> str:
    """Return a duration with its change."""
    if duration is None:
        return ""
    grown = trend(duration, before)
    return f"{humanize_duration(duration)}{f' {change(grown)}' if grown is not None else ''}"


def change(grown: float) -> str:
    """Return a relative change: `+12%`, `-3%`, `×14`."""
    return f"×{grown + 1:.0f}" if grown >= 9.5 else f"{grown:+.0%}"


def number(one: float) -> str:
    """Return a number in four digits, an integer in full."""
    whole = round(one)
    if abs(one) >= 1e15:
        return f"{one:.4g}"
    return f"{whole:,}" if one == whole or abs(one) >= 1000 else f"{one:.4g}"


def kinds(errors: Mapping[str, int]) -> str:
    """Return the numbers of errors by kind, the most frequent first."""
    return ", ".join(f"{count:,} {kind}" for kind, count in errors.items())


_HEAD = (
    "JOB", "RUNS", "OK", "P50", "P95", "P95 OVER TIME", "LONGER", "CPU", "MEMORY", "ALERTS", "INCIDENTS", "ERRORS",
)  # fmt: skip
_ALWAYS = frozenset({"JOB", "RUNS", "OK", "ALERTS"})


def _runs(each: Summary) -> str:
    parts = [f"{each.runs:,}"]
    if each.success is not None:
        parts.append(f"{percent(each.success)} without error")
    if each.not_run:
        parts.append(f"{counted(each.not_run, 'slot')} did not run")
    return ", ".join(parts)


def _durations(spread: DurationSpread, before: DurationSpread) -> str:
    return f"p50 {timed(spread.p50, before.p50)}, p95 {timed(spread.p95, before.p95)}"


def _durations_line(each: Summary, bars: str, *, width: int = PARTS) -> str:
    spans = [part.spread.p95 for part in each.parts]
    step = PARTS // width
    groups = [[span.total_seconds() for span in spans[at : at + step] if span] for at in range(0, PARTS, step)]
    return sparkline([max(group, default=None) for group in groups], bars=bars, floor=0)


def _alerts(each: Summary) -> str:
    return f"{each.alerts:,}" + (f" ({each.withheld:,} withheld)" if each.withheld else "")


def _incidents(each: Summary, now: datetime) -> str:
    if not each.incidents:
        return ""
    longest = max(course.length(now) for course in each.incidents)
    going_on = ", 1 open" if each.is_open else ""
    return f"{len(each.incidents):,}{going_on}, longest {format_length(longest)}"


def _incident_lines(each: Summary, now: datetime, zone: tzinfo) -> list[str]:
    """Return lines for the last incidents, and for the longest one if it is not among them."""
    last = each.incidents[-_MAX_LINES:]
    longest = max(each.incidents, key=lambda course: course.length(now), default=None)
    told = [] if longest is None or longest in last else [longest]
    lines = []
    for course in (*told, *last):
        ends = ", open" if course.until is None else f" to {_stamp(course.until, zone)}"
        mark = ", the longest" if course is longest and len(each.incidents) > 1 else ""
        length = format_length(course.length(now))
        lines.append(f"{_stamp(course.since, zone)}{ends}, {length}, {counted(course.alerts, 'alert')}{mark}")
    hidden = len(each.incidents) - len(lines)
    return [*([f"{hidden:,} earlier ones"] if hidden else []), *lines]


def _size(memory: int) -> str:
    return f"{max(1, round(memory / 1024**2)):,} MB"


def _stamp(at: datetime, zone: tzinfo) -> str:
    return format_time(at, zone, seconds="never")
