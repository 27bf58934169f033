"""Compute the figures of a report from the records of the history, job by job."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from slack_alert.core.model.record import NOT_RUN, Record, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.report.slow_runs import BRIEF, WINDOW, is_longer, usual
from slack_alert.core.report.statistics import PARTS, IncidentSpan, Period, PeriodPart, Series, SlowRun, Summary, spread


def summaries(
    records: Iterable[Record], span: Period, *, incidents: Mapping[str, Incident | None] | None = None
) -> list[Summary]:
    """Return the summaries of all jobs, in the order of their names.

    `records` begin with the period before `span`. `incidents` are those open at the end; None: taken from the history.
    """
    tallies: dict[str, HistoryAggregate] = {}
    for record in records:
        if (tally := tallies.get(record.binding)) is None:
            tally = tallies[record.binding] = HistoryAggregate(record.binding, span)
        tally.add(record)
    for job, incident in (incidents or {}).items():
        if incident is not None and job not in tallies:
            tallies[job] = HistoryAggregate(job, span)
    found = []
    for job in sorted(tallies):
        if incidents is not None:
            tallies[job].finish(incidents.get(job))
        if (summary := tallies[job].summary()) is not None:
            found.append(summary)
    return found


def has_failed(record: Record) -> bool:
    """Return whether a run ended with an error, posted or withheld."""
    return record.error is not None or record.verdict in _FAILED


def kind_of(record: Record) -> str:
    """Return the kind of an error: the type of the exception, or the verdict if there is none."""
    outcome = record.outcome
    failed = record.verdict if record.verdict in _FAILED else Verdict.ERROR
    if failed is Verdict.ERROR and outcome is not None and outcome.failed is not None:
        failed = outcome.failed
    if failed is not Verdict.ERROR:
        return str(failed).replace("_", " ")
    # Former versions wrote it with its module.
    return outcome.kind.rpartition(".")[2] if outcome is not None and outcome.kind else "error"


_FAILED = frozenset({Verdict.ERROR, Verdict.TIMED_OUT, Verdict.INTERRUPTED})
_SPOKEN = frozenset({Verdict.SAID, Verdict.MUTED})


def _is_calm(record: Record) -> bool:
    """Return whether a run had no alert; it may have posted a recovery."""
    return record.verdict is Verdict.QUIET or (record.outcome is not None and not record.outcome.said)


class HistoryAggregate:
    """Aggregates the records of a job, added in the order of slots, beginning with the period before `span`."""

    def __init__(self, job: str, span: Period) -> None:
        self._job = job
        self._span = span
        self._runs = self._failed = self._not_run = self._untimed = self._alerts = self._withheld = 0
        self._durations: list[list[timedelta]] = [[] for _ in range(PARTS)]
        self._counts = [[0, 0, 0] for _ in range(PARTS)]
        self._before: list[timedelta] = []
        self._window: deque[timedelta] = deque(maxlen=WINDOW)
        self._longer: list[SlowRun] = []
        self._cpu: timedelta | None = None
        self._memory: int | None = None
        self._errors: Counter[str] = Counter()
        self._incidents: list[IncidentSpan] = []
        self._last_alert: datetime | None = None
        self._numbers: dict[str, _Curve] = {}

    def add(self, record: Record) -> None:
        """Add a record; one of several slots counts at the last of them."""
        at = record.until or record.slot
        is_counted = self._span.since <= at < self._span.until
        if record.verdict in NOT_RUN:
            if is_counted:
                self._not_run += record.count
                self._counts[self._span.part(at)][2] += record.count
            return
        failed = has_failed(record)
        if not failed and record.asked_by is None:
            self._follow(record)
        if record.duration is not None:
            self._time(record, record.duration, at, is_counted=is_counted)
        if is_counted:
            self._count(record, at, failed=failed)

    def finish(self, incident: Incident | None) -> None:
        """Set the incident that is open at the end; the history may not reach back to its beginning."""
        is_open = bool(self._incidents) and self._incidents[-1].until is None
        if is_open:
            last = self._incidents.pop()
            if incident is None:  # It was deleted: its end is unknown.
                self._incidents.append(last._replace(until=self._last_alert))
        if incident is not None:
            self._incidents.append(IncidentSpan(incident.since, None, incident.count))

    def summary(self) -> Summary | None:
        """Return the summary, or None if there is nothing to report."""
        spans = tuple(each for each in self._incidents if each.until is None or each.until >= self._span.since)
        if not (self._runs or self._not_run or spans):
            return None
        return Summary(
            self._job,
            self._runs,
            self._failed,
            self._not_run,
            self._untimed,
            spread(duration for part in self._durations for duration in part),
            spread(self._before),
            tuple(self._longer),
            self._cpu,
            self._memory,
            dict(sorted(self._errors.items(), key=lambda item: (-item[1], item[0]))),
            self._alerts,
            self._withheld,
            spans,
            {name: curve.series() for name, curve in sorted(self._numbers.items())},
            tuple(
                PeriodPart(fine, failed, not_run, spread(durations))
                for (fine, failed, not_run), durations in zip(self._counts, self._durations, strict=True)
            ),
        )

    def _count(self, record: Record, at: datetime, *, failed: bool) -> None:
        part = self._span.part(at)
        self._runs += record.count
        self._counts[part][failed] += record.count
        if record.duration is None:
            self._untimed += record.count
        if failed:
            self._failed += record.count
            self._errors[kind_of(record)] += record.count
        elif record.verdict in _SPOKEN and record.asked_by is None and not _is_calm(record):
            self._alerts += record.verdict is Verdict.SAID
            self._withheld += record.verdict is Verdict.MUTED
        if record.usage is not None:
            self._cpu = (self._cpu or timedelta()) + record.usage.cpu
            self._memory = max(self._memory or 0, record.usage.memory)
        for name, number in (record.numbers or {}).items():
            self._numbers.setdefault(name, _Curve()).add(part, number)

    def _time(self, record: Record, duration: timedelta, at: datetime, *, is_counted: bool) -> None:
        if is_counted:
            than = usual(self._window) if duration > BRIEF else None
            if than is not None and is_longer(duration, than):
                self._longer.append(SlowRun(record.slot, duration, than))
            self._durations[self._span.part(at)].append(duration)
        elif self._span.before.since <= at < self._span.since:
            self._before.append(duration)
        self._window.append(duration)

    def _follow(self, record: Record) -> None:
        """Track incidents: the first alert opens one, a run without an alert ends it."""
        last = self._incidents[-1] if self._incidents else None
        is_open = last is not None and last.until is None
        if _is_calm(record):
            if last is not None and is_open:
                self._incidents[-1] = last._replace(until=record.slot)
        elif record.verdict in _SPOKEN:
            self._last_alert = record.slot
            if last is not None and is_open:
                self._incidents[-1] = last._replace(alerts=last.alerts + 1)
            else:
                self._incidents.append(IncidentSpan(record.slot, None, 1))


class _Curve:
    """Collects the measurements of one name."""

    def __init__(self) -> None:
        self._means = [0.0] * PARTS
        self._counts = [0] * PARTS
        self._count = 0
        self._mean = self._last = self._least = self._most = 0.0

    def add(self, part: int, number: float) -> None:
        self._count += 1
        self._least = number if self._count == 1 else min(self._least, number)
        self._most = number if self._count == 1 else max(self._most, number)
        self._last = number
        self._mean = self._within(_moved(self._mean, number, self._count))
        self._counts[part] += 1
        self._means[part] = self._within(_moved(self._means[part], number, self._counts[part]))

    def series(self) -> Series:
        means = tuple(mean if count else None for mean, count in zip(self._means, self._counts, strict=True))
        return Series(self._count, self._last, self._least, self._mean, self._most, means)

    def _within(self, mean: float) -> float:
        """Return the mean, corrected where rounding led out of the range of the numbers."""
        return min(self._most, max(self._least, mean))


def _moved(mean: float, number: float, count: int) -> float:
    # Divided first: the sum of large numbers could be infinite.
    return mean + (number / count - mean / count)
