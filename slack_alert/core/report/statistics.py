"""What a span of history says of each job: its runs, how long they took, what went wrong, what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_alert.core.report.slow_runs import nearest_rank
from slack_alert.core.structs import Struct

#: A span is drawn in so many parts.
PARTS = 24


class Period(Struct, frozen=True):
    """From when to when (exclusive) is counted; what is compared with it is the same length before."""

    since: datetime
    until: datetime

    @property
    def before(self) -> Period:
        """The span of the same length before."""
        return Period(self.since - (self.until - self.since), self.since)

    def part(self, at: datetime) -> int:
        """Return the part an instant lies in."""
        return min(PARTS - 1, max(0, (at - self.since) * PARTS // (self.until - self.since)))

    def begin(self, part: int) -> datetime:
        """Return the beginning of a part."""
        return self.since + (self.until - self.since) * part / PARTS


class DurationSpread(NamedTuple):
    """How long runs took, by the nearest rank; None where no duration is known."""

    p50: timedelta | None = None
    p95: timedelta | None = None


class SlowRun(NamedTuple):
    """A run that took longer than usual."""

    slot: datetime
    duration: timedelta
    usually: timedelta


class IncidentSpan(NamedTuple):
    """An incident as history shows it; `until` None: it goes on."""

    since: datetime
    until: datetime | None
    alerts: int

    def length(self, now: datetime) -> timedelta:
        """Say how long it went on."""
        return (self.until or now) - self.since


class Series(NamedTuple):
    """Numbers of one name, in the order of their slots."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs of a series
    last: float
    least: float
    mean: float
    most: float
    #: The mean of each part of the span; None where nothing was measured.
    parts: tuple[float | None, ...]


class PeriodPart(NamedTuple):
    """What happened in one part of the span."""

    fine: int = 0
    failed: int = 0
    not_run: int = 0
    spread: DurationSpread = DurationSpread()


class Summary(Struct, frozen=True):
    """What a span of history says of one job."""

    job: str
    runs: int
    failed: int
    #: Slots that did not run.
    not_run: int
    #: Runs that were folded into rows: they count, how long they took is not known any more.
    untimed: int
    spread: DurationSpread
    before: DurationSpread
    longer: tuple[SlowRun, ...]
    #: Of runs in processes of their own: the processor's time in all, and the most memory of any.
    cpu: timedelta | None
    memory: int | None
    errors: Mapping[str, int]
    #: Runs that said something, and runs whose words were withheld.
    alerts: int
    withheld: int
    incidents: tuple[IncidentSpan, ...]
    numbers: Mapping[str, Series]
    parts: tuple[PeriodPart, ...]

    @property
    def success(self) -> float | None:
        """The share of runs that ended without an error; None where there was no run."""
        return (self.runs - self.failed) / self.runs if self.runs else None

    @property
    def is_open(self) -> bool:
        """Whether an incident goes on."""
        return any(course.until is None for course in self.incidents)


def trend(now: timedelta | None, before: timedelta | None) -> float | None:
    """Return by which share something grew; None where that cannot be told."""
    return (now - before) / before if now is not None and before else None


def spread(durations: Iterable[timedelta]) -> DurationSpread:
    """Return median and 95th percentile, by the nearest rank."""
    ordered = sorted(durations)
    return DurationSpread(nearest_rank(ordered, 50), nearest_rank(ordered, 95)) if ordered else DurationSpread()
