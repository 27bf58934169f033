"""The types of the figures of a report, which `aggregate` computes: runs, durations, errors, incidents, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_alert.core.report.slow_runs import nearest_rank
from slack_alert.core.structs import Struct

#: Number of parts into which a period is divided, for drawing.
PARTS = 24


class Period(Struct, frozen=True):
    """The time from `since` to `until` (exclusive) that a report covers."""

    since: datetime
    until: datetime

    @property
    def before(self) -> Period:
        """The period of the same length before, for comparisons."""
        return Period(self.since - (self.until - self.since), self.since)

    def part(self, at: datetime) -> int:
        """Return the index of the part that contains an instant."""
        return min(PARTS - 1, max(0, (at - self.since) * PARTS // (self.until - self.since)))

    def begin(self, part: int) -> datetime:
        """Return the beginning of a part."""
        return self.since + (self.until - self.since) * part / PARTS


class DurationSpread(NamedTuple):
    """Percentiles of durations, by the nearest rank; None if no duration is known."""

    p50: timedelta | None = None
    p95: timedelta | None = None


class SlowRun(NamedTuple):
    """A run that took longer than usual."""

    slot: datetime
    duration: timedelta
    usually: timedelta


class IncidentSpan(NamedTuple):
    """An incident in the history; `until` None: it is open."""

    since: datetime
    until: datetime | None
    alerts: int

    def length(self, now: datetime) -> timedelta:
        """Return the duration, up to `now` for an open incident."""
        return (self.until or now) - self.since


class Series(NamedTuple):
    """Aggregated measurements of one name."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which a series does not need
    last: float
    least: float
    mean: float
    most: float
    #: The mean of each part of the period; None if nothing was measured.
    parts: tuple[float | None, ...]


class PeriodPart(NamedTuple):
    """Runs and durations in one part of a period."""

    fine: int = 0
    failed: int = 0
    not_run: int = 0
    spread: DurationSpread = DurationSpread()


class Summary(Struct, frozen=True):
    """The statistics of one job over a period."""

    job: str
    runs: int
    failed: int
    #: Slots that did not run.
    not_run: int
    #: Runs whose records were folded: they count, but their durations are not known any more.
    untimed: int
    spread: DurationSpread
    before: DurationSpread
    longer: tuple[SlowRun, ...]
    #: Total CPU time and peak memory in bytes of runs in processes of their own.
    cpu: timedelta | None
    memory: int | None
    errors: Mapping[str, int]
    #: Numbers of runs with a posted alert, and with a withheld one.
    alerts: int
    withheld: int
    incidents: tuple[IncidentSpan, ...]
    numbers: Mapping[str, Series]
    parts: tuple[PeriodPart, ...]

    @property
    def success(self) -> float | None:
        """The share of runs without an error; None if there was no run."""
        return (self.runs - self.failed) / self.runs if self.runs else None

    @property
    def is_open(self) -> bool:
        """Whether an incident is open."""
        return any(course.until is None for course in self.incidents)


def trend(now: timedelta | None, before: timedelta | None) -> float | None:
    """Return the relative change from `before` to `now`, or None if either is unknown or `before` is zero."""
    return (now - before) / before if now is not None and before else None


def spread(durations: Iterable[timedelta]) -> DurationSpread:
    """Return the median and the 95th percentile, by the nearest rank."""
    ordered = sorted(durations)
    return DurationSpread(nearest_rank(ordered, 50), nearest_rank(ordered, 95)) if ordered else DurationSpread()
