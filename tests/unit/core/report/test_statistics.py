from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.report.aggregate import kind_of, summaries
from slack_alert.core.report.statistics import (
    PARTS,
    DurationSpread,
    IncidentSpan,
    Period,
    Series,
    SlowRun,
    Summary,
    trend,
)
from tests.fakes.engine_rig import HOUR, TICK, at
from tests.fakes.reasons import former

#: Ten to eleven, in parts of two and a half minutes.
SPAN = Period(at("16 10:00"), at("16 11:00"))


def made(
    time: str = "16 10:30",
    verdict: Verdict = Verdict.QUIET,
    *,
    seconds: float | None = 1,
    count: int = 1,
    until: str | None = None,
    **fields: object,
) -> Record:
    duration = None if seconds is None else timedelta(seconds=seconds)
    record = Record(1, "db.lag", at(time), verdict, duration=duration, count=count, until=at(until) if until else None)
    return record._replace(**fields)  # type: ignore[arg-type]  # each test names what it is about


def failed(kind: str = "OSError", time: str = "16 10:30", verdict: Verdict = Verdict.ERROR) -> Record:
    failed = Verdict.TIMED_OUT if verdict is Verdict.TIMED_OUT else Verdict.ERROR
    return made(time, verdict, error=f"Traceback\n{kind}: no", outcome=Outcome("", failed, kind, "no"))


def alert(time: str) -> Record:
    return made(time, Verdict.SAID, text="late")


def summed(*records: Record, incident: Incident | None = None) -> Summary:
    [summary] = summaries(records, SPAN, incidents={"db.lag": incident} if incident else None)
    return summary


# --- runs


def test_runs_without_error_are_counted_over_runs_that_happened() -> None:
    summary = summed(
        made(), alert("16 10:31"), failed(), made(verdict=Verdict.PAUSED, seconds=None, count=7, until="16 10:50")
    )

    assert (summary.runs, summary.failed, summary.success, summary.not_run) == (3, 1, 2 / 3, 7)


@pytest.mark.parametrize(
    ("record", "is_failure"),
    [
        (made(verdict=Verdict.QUIET), False),
        (made(verdict=Verdict.SAID), False),
        (made(verdict=Verdict.MUTED), False),
        (made(verdict=Verdict.CANCELED), False),
        (failed(), True),
        (failed(verdict=Verdict.MUTED), True),
        (failed(verdict=Verdict.TIMED_OUT), True),
        (made(verdict=Verdict.INTERRUPTED), True),
    ],
)
def test_a_withheld_error_is_an_error_and_withheld_words_are_none(record: Record, *, is_failure: bool) -> None:
    assert (summed(record).runs, summed(record).failed) == (1, is_failure)


def test_folded_runs_count_as_many_and_their_durations_are_not_known() -> None:
    summary = summed(made(seconds=3), made(seconds=None, count=59, until="16 10:59"))

    assert (summary.runs, summary.untimed, summary.success) == (60, 59, 1)
    assert summary.spread == DurationSpread(timedelta(seconds=3), timedelta(seconds=3))


def test_a_job_that_never_ran_has_no_rate() -> None:
    assert summed(made(verdict=Verdict.OFF_HOURS, seconds=None)).success is None


@pytest.mark.parametrize(
    ("record", "runs"),
    [
        (made("16 10:00"), 1),
        (made("16 10:59:59"), 1),
        (made("16 09:58", seconds=None, count=3, until="16 10:00"), 3),
    ],
)
def test_the_span_is_half_open_and_a_row_belongs_to_where_it_ends(record: Record, runs: int) -> None:
    assert summed(record).runs == runs


@pytest.mark.parametrize("time", ["16 09:59:59", "16 11:00", "16 12:00"])
def test_what_lies_outside_is_no_line(time: str) -> None:
    assert summaries([made(time)], SPAN) == []


def test_jobs_come_in_the_order_of_their_names() -> None:
    found = summaries([made(binding="b"), made(binding="a"), made(binding="b")], SPAN)

    assert [(summary.job, summary.runs) for summary in found] == [("a", 1), ("b", 2)]


# --- durations


def test_percentiles_are_compared_with_the_same_length_before() -> None:
    before = [made("16 09:30", seconds=number) for number in (1, 2, 3)]
    too_early = made("16 08:59", seconds=1000)
    summary = summed(too_early, *before, *(made(seconds=number) for number in (2, 4, 6)))

    assert summary.spread == DurationSpread(timedelta(seconds=4), timedelta(seconds=6))
    assert summary.before == DurationSpread(timedelta(seconds=2), timedelta(seconds=3))
    assert trend(summary.spread.p50, summary.before.p50) == 1


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [(3, 2, 0.5), (1, 2, -0.5), (2, 2, 0), (None, 2, None), (2, None, None), (2, 0, None)],
)
def test_a_trend_is_the_share_by_which_it_grew(now: float | None, before: float | None, expected: float) -> None:
    found = [None if seconds is None else timedelta(seconds=seconds) for seconds in (now, before)]

    assert trend(*found) == expected


def test_parts_of_the_span_have_their_own() -> None:
    records = [made("16 10:00"), failed(time="16 10:02"), made("16 10:59", Verdict.MISSED, seconds=None, count=2)]
    parts = summed(*records).parts

    assert len(parts) == PARTS
    assert [tuple(parts[0])[:3], tuple(parts[1])[:3], tuple(parts[-1])[:3]] == [(1, 1, 0), (0, 0, 0), (0, 0, 2)]


def test_runs_that_took_longer_are_told_from_the_median_of_those_before() -> None:
    usually = [made(f"16 09:{minute}", seconds=2) for minute in range(50, 56)]
    summary = summed(*usually, made("16 10:10", seconds=9), made("16 10:11", seconds=2.3))

    assert summary.longer == (SlowRun(at("16 10:10"), timedelta(seconds=9), timedelta(seconds=2)),)


def test_a_run_that_took_longer_before_the_span_is_not_told_again() -> None:
    usually = [made(f"16 09:{minute}", seconds=2) for minute in range(50, 56)]

    assert summed(*usually, made("16 09:58", seconds=9), made()).longer == ()


def test_what_isolated_runs_used_is_summed_up() -> None:
    used = [Usage(timedelta(seconds=1), 30), Usage(timedelta(seconds=2), 20)]
    summary = summed(made(), *(made(usage=usage) for usage in used))

    assert (summary.cpu, summary.memory) == (timedelta(seconds=3), 30)
    assert (summed(made()).cpu, summed(made()).memory) == (None, None)


# --- errors


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (failed("KeyError"), "KeyError"),
        (failed("KeyError", verdict=Verdict.MUTED), "KeyError"),
        (failed("TimedOut", verdict=Verdict.TIMED_OUT), "timed out"),
        (made(verdict=Verdict.INTERRUPTED), "interrupted"),
        (made(verdict=Verdict.ERROR, text="said before\n✗ db.lag failed: OSError\n`x`", error="x"), "OSError"),
        (
            made(verdict=Verdict.ERROR, error='Traceback\n  File "a", line 1, in b\n    c()\nlib.Broken: a\n  b: c'),
            "Broken",
        ),
        (made(verdict=Verdict.ERROR, error="Traceback\nKeyError"), "KeyError"),
        (made(verdict=Verdict.ERROR, error="ProcessEnded: it ended\n"), "ProcessEnded"),
        (made(verdict=Verdict.ERROR, text="✗ db.lag failed: exit code 3 after 10 ms"), "exit code 3"),
        (made(verdict=Verdict.ERROR, text="✗ db.lag failed: not started: No such file or directory"), "not started"),
        (made(verdict=Verdict.MUTED, text="✗ db.lag failed: given up after 50m", error="given up\n"), "timed out"),
        (made(verdict=Verdict.MUTED, error="TimeoutError: took longer than 5m (timeout)\n"), "timed out"),
        (made(verdict=Verdict.MUTED, text="✗ db.lag failed: interrupted: exec was killed", error="x"), "interrupted"),
        (made(verdict=Verdict.ERROR, error=""), "error"),
        (made(verdict=Verdict.ERROR), "error"),
    ],
)
def test_an_error_is_of_the_kind_of_its_exception(record: Record, kind: str) -> None:
    assert kind_of(former(record, None)) == kind


def test_errors_are_counted_by_kind_the_most_frequent_first() -> None:
    summary = summed(failed("KeyError"), failed("OSError"), failed("OSError"), failed("AError"))

    assert list(summary.errors.items()) == [("OSError", 2), ("AError", 1), ("KeyError", 1)]


# --- alerts and incidents


def test_alerts_are_what_was_said_and_what_was_withheld_apart() -> None:
    summary = summed(
        alert("16 10:10"),
        made("16 10:11", Verdict.MUTED),
        made("16 10:12", Verdict.SAID, text="✓ db.lag recovered", outcome=Outcome()),
        made("16 10:13", Verdict.SAID, asked_by="ann", text="late"),
        former(made("16 10:14", Verdict.SAID, text="*db.lag*: 2 alerts were withheld since 10:11"), None),
    )

    assert (summary.alerts, summary.withheld) == (1, 1)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([alert("16 10:10"), alert("16 10:20"), made("16 10:30")], [("16 10:10", "16 10:30", 2)]),
        ([alert("16 10:10")], [("16 10:10", None, 1)]),
        (
            [alert("16 10:10"), made("16 10:15"), alert("16 10:20")],
            [("16 10:10", "16 10:15", 1), ("16 10:20", None, 1)],
        ),
        ([alert("16 10:10"), failed(time="16 10:15"), alert("16 10:20")], [("16 10:10", None, 2)]),
        ([alert("16 09:10"), made("16 10:30")], [("16 09:10", "16 10:30", 1)]),
        ([alert("16 09:10"), made("16 09:30"), made("16 10:30")], []),
        ([alert("16 10:10"), made("16 10:15", asked_by="ann")], [("16 10:10", None, 1)]),
        ([alert("16 10:10"), made("16 10:20", seconds=None, count=9, until="16 10:59")], [("16 10:10", "16 10:20", 1)]),
        (
            [alert("16 10:10"), made("16 10:30", Verdict.SAID, outcome=Outcome())],
            [("16 10:10", "16 10:30", 1)],
        ),
        (
            [alert("16 10:10"), made("16 10:12", Verdict.PAUSED, seconds=None, count=9), made("16 10:30")],
            [("16 10:10", "16 10:30", 1)],
        ),
    ],
)
def test_an_incident_goes_from_the_first_alert_of_a_row_to_the_run_without_one(
    records: list[Record], expected: list[tuple[str, str | None, int]]
) -> None:
    courses = [IncidentSpan(at(since), at(until) if until else None, alerts) for since, until, alerts in expected]

    assert list(summed(*records).incidents) == courses


def test_what_goes_on_is_known_from_its_very_beginning() -> None:
    goes_on = Incident(at("14 08:00"), at("16 10:10"), 50)

    assert summed(alert("16 10:10"), incident=goes_on).incidents == (IncidentSpan(at("14 08:00"), None, 50),)


def test_an_incident_goes_on_though_its_job_rests() -> None:
    goes_on = Incident(at("14 08:00"), at("15 10:10"), 50)
    [summary] = summaries([], SPAN, incidents={"db.lag": goes_on, "db.size": None})

    assert (summary.job, summary.is_open, summary.runs) == ("db.lag", True, 0)


def test_an_incident_that_was_forgotten_ends_with_its_last_alert() -> None:
    [summary] = summaries([alert("16 10:10"), alert("16 10:20")], SPAN, incidents={})

    assert summary.incidents == (IncidentSpan(at("16 10:10"), at("16 10:20"), 2),)


# --- numbers


def test_numbers_are_series_with_gaps() -> None:
    records = [made("16 10:00", numbers={"a": 1, "b": 5}), made("16 10:01", numbers={"a": 3}), made("16 10:59")]
    numbers = summed(*records, made("16 10:58", numbers={"a": 8})).numbers

    gap = (None,) * (PARTS - 2)
    assert numbers == {"a": Series(3, 8, 1, 4, 8, (2, *gap, 8)), "b": Series(1, 5, 5, 5, 5, (5, *gap, None))}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_mean_lies_between_the_least_and_the_greatest(measured: list[float]) -> None:
    series = summed(*(made(numbers={"": number}) for number in measured)).numbers[""]

    assert (series.count, series.last) == (len(measured), measured[-1])
    assert (series.least, series.most) == (min(measured), max(measured))
    assert series.least <= series.mean <= series.most
    assert all(series.least <= mean <= series.most for mean in series.parts if mean is not None)


# --- laws

RECORDS = st.builds(
    made,
    time=st.integers(0, 119).map(lambda minute: f"16 {9 + minute // 60:02}:{minute % 60:02}"),
    verdict=st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.GO]),
    seconds=st.none() | st.floats(0, 10_000),
    asked_by=st.none() | st.just("ann"),
    error=st.none() | st.just("KeyError"),
)


@given(st.lists(RECORDS).map(lambda records: sorted(records, key=lambda record: record.slot)))
def test_every_slot_is_counted_once(records: list[Record]) -> None:
    counted = [record for record in records if record.slot >= SPAN.since]
    for summary in summaries(records, SPAN):
        assert summary.runs + summary.not_run == len(counted)
        assert summary.runs == sum(part.fine + part.failed for part in summary.parts)
        assert summary.failed == sum(part.failed for part in summary.parts) == sum(summary.errors.values())
        assert summary.alerts + summary.withheld + summary.failed <= summary.runs
        assert summary.alerts + summary.withheld <= sum(course.alerts for course in summary.incidents)
        assert sum(course.until is None for course in summary.incidents) <= 1


@given(st.timedeltas(timedelta(), HOUR - TICK))
def test_every_instant_lies_in_the_part_that_began_last(into: timedelta) -> None:
    instant = SPAN.since + into
    part = SPAN.part(instant)

    assert 0 <= part < PARTS
    assert SPAN.begin(part) <= instant < SPAN.begin(part + 1)


def test_the_span_before_is_as_long() -> None:
    assert SPAN.before == Period(at("16 09:00"), at("16 10:00"))
