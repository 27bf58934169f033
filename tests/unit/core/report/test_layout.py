from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.report.aggregate import summaries
from slack_alert.core.report.layout import (
    ASCII_BARS,
    change,
    footnotes,
    job_details,
    measurement_rows,
    number,
    overview,
    percent,
    timed,
    title,
    totals,
)
from slack_alert.core.report.statistics import PARTS, Period, Summary
from tests.fakes.engine_rig import BERLIN, MINUTE, at

SPAN = Period(at("16 10:00"), at("16 11:00"))


def ran(time: str, verdict: Verdict = Verdict.QUIET, job: str = "db.lag", **fields: object) -> Record:
    record = Record(1, job, at(time), verdict, duration=timedelta(seconds=2))
    return record._replace(**fields)  # type: ignore[arg-type]  # each test names what it is about


def failed(time: str) -> Record:
    outcome = Outcome("", Verdict.ERROR, "OSError", "no")
    return ran(time, Verdict.ERROR, text="✗ db.lag failed: OSError: no", error="x", outcome=outcome)


def found(*records: Record) -> list[Summary]:
    return summaries(records, SPAN)


def row(*records: Record, bars: str = ASCII_BARS) -> Mapping[str, str]:
    head, [only] = overview(found(*records), SPAN.until, bars=bars)
    return dict(zip(head, only, strict=True))


def lines(*records: Record) -> list[tuple[str, ...]]:
    [summary] = found(*records)
    return job_details(summary, SPAN.until, BERLIN, bars=ASCII_BARS)


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    assert row(ran("16 10:00", duration=None)) == {"JOB": "db.lag", "RUNS": "1", "OK": "100%", "ALERTS": "0"}


def test_a_row_tells_of_all_there_is() -> None:
    used = Usage(timedelta(seconds=1.5), 90_000_000)
    before = [ran(f"16 09:{minute}", duration=timedelta(seconds=1)) for minute in range(50, 56)]
    records = [ran("16 10:00", Verdict.SAID), ran("16 10:30", usage=used), failed("16 10:59"), failed("16 10:59")]

    assert row(*before, *records) == {
        "JOB": "db.lag",
        "RUNS": "4",
        "OK": "50.0%",
        "P50": "2 s +100%",
        "P95": "2 s +100%",
        "P95 OVER TIME": "#.....#....#",
        "LONGER": "4",
        "CPU": "1.5 s",
        "MEMORY": "86 MB",
        "ALERTS": "1",
        "INCIDENTS": "1, longest 30m",
        "ERRORS": "2 OSError",
    }


def test_a_sheet_tells_of_one_job_line_by_line() -> None:
    paused = ran("16 10:40", Verdict.PAUSED, duration=None, count=3, until=at("16 10:50"))
    records = [
        ran("16 10:00", Verdict.SAID),
        ran("16 10:10", Verdict.MUTED),
        ran("16 10:30"),
        failed("16 10:35"),
        paused,
    ]

    assert lines(*records, ran("16 10:55", Verdict.SAID)) == [
        ("runs", "5, 80.0% without error, 3 slots did not run"),
        ("duration", "p50 2 s, p95 2 s"),
        ("p95 over time", "#...#.......#.#.......#."),
        ("errors", "1 OSError"),
        ("alerts", "2 (1 withheld)"),
        ("incident", "Mon 16 Nov 10:00 to Mon 16 Nov 10:30, 30m, 2 alerts, the longest"),
        ("incident", "Mon 16 Nov 10:55, open, 5m, 1 alert"),
    ]


def test_a_sheet_says_that_nothing_went_wrong() -> None:
    assert lines(ran("16 10:00"))[-3:] == [("errors", "none"), ("alerts", "0"), ("incidents", "none")]


def test_of_many_incidents_the_last_and_the_longest_are_told() -> None:
    records = [ran("16 10:00", Verdict.SAID), ran("16 10:20")]
    for minute in range(30, 44, 2):
        records += [ran(f"16 10:{minute}", Verdict.SAID), ran(f"16 10:{minute + 1}")]
    told = [words for name, words in lines(*records) if name == "incident"]

    assert told[0] == "2 earlier ones"
    assert told[1].endswith("20m, 1 alert, the longest")
    assert [words[11:16] for words in told[2:]] == ["10:34", "10:36", "10:38", "10:40", "10:42"]


def test_of_many_runs_that_took_longer_the_last_are_told() -> None:
    usually = [ran(f"16 10:{minute:02}") for minute in range(20)]
    longer = [ran(f"16 10:{minute}", duration=timedelta(seconds=9)) for minute in range(30, 37)]
    told = lines(*usually, *longer)

    assert ("took longer", "Mon 16 Nov 10:36: 9 s, usually 2 s") in told
    assert ("", "2 earlier ones") in told


def test_numbers_have_a_row_for_each_name() -> None:
    [summary] = found(ran("16 10:00", numbers={"db1": 1, "db2": 0.5}), ran("16 10:59", numbers={"db1": 1234.5}))
    gap = "." * (PARTS - 2)

    assert measurement_rows(summary.numbers, bars=ASCII_BARS) == (
        ("NUMBER", "LAST", "MIN", "MEAN", "MAX", "OVER TIME"),
        [
            ("db1", "1,234", "1", "617.8", "1,234", f"_{gap}#"),
            ("db2", "0.5", "0.5", "0.5", "0.5", f"_{gap}."),
        ],
    )


def test_a_number_without_a_name_is_the_value() -> None:
    [summary] = found(ran("16 10:00", numbers={"": 3}))
    head, [only] = measurement_rows(summary.numbers)

    assert (head[0], only[0]) == ("VALUE", "the value")


def test_all_jobs_are_summed_up_in_a_line() -> None:
    records = [ran("16 10:00", Verdict.SAID), failed("16 10:10"), ran("16 10:20", job="web.up")]

    assert totals(found(*records)) == "2 jobs, 3 runs, 66.7% without error, 1 alert, 1 incident (1 open)"
    assert totals(found(ran("16 10:00"))) == "1 run, 100% without error, 0 alerts, 0 incidents"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (SPAN, "x, Mon 16 Nov 10:00 to Mon 16 Nov 11:00 (1h)"),
        (Period(at("16 10:00"), at("16 10:00") + 1.5 * MINUTE), "x, Mon 16 Nov 10:00 to Mon 16 Nov 10:01 (1m30s)"),
    ],
)
def test_the_title_says_from_when_to_when(span: Period, expected: str) -> None:
    assert title("x", span, ZoneInfo("Europe/Berlin")) == expected


def test_footnotes_say_what_the_numbers_do_not() -> None:
    before = [ran(f"16 09:{minute}") for minute in range(50, 56)]
    untimed = ran("16 10:00", duration=None, count=1200)
    longer = ran("16 10:01", duration=timedelta(seconds=9))

    assert [note.partition(" ")[0] for note in footnotes(found(*before, untimed, longer))] == ["1,200", "+", "Longer:"]
    assert footnotes(found(ran("16 10:00"))) == []


@pytest.mark.parametrize(
    ("share", "expected"),
    [(None, ""), (0.0, "0%"), (1.0, "100%"), (0.5, "50.0%"), (0.99999, "99.9%"), (0.00001, "0.1%")],
)
def test_what_is_not_all_is_never_written_as_all(share: float | None, expected: str) -> None:
    assert percent(share) == expected


@pytest.mark.parametrize(
    ("grown", "expected"),
    [(0, "+0%"), (0.123, "+12%"), (-0.5, "-50%"), (8.0, "+800%"), (13.2, "×14")],
)
def test_a_change_is_written_with_its_sign(grown: float, expected: str) -> None:
    assert change(grown) == expected


def test_a_duration_without_a_time_before_has_no_change() -> None:
    assert [timed(MINUTE, None), timed(None, MINUTE), timed(MINUTE, 2 * MINUTE)] == ["1 min", "", "1 min -50%"]


@pytest.mark.parametrize(
    ("one", "expected"),
    [(0, "0"), (3.0, "3"), (1234567, "1,234,567"), (1234.56, "1,235"), (0.000123456, "0.0001235"), (1e20, "1e+20")],
)
def test_a_number_is_written_in_few_digits(one: float, expected: str) -> None:
    assert number(one) == expected


@given(st.floats(-1e300, 1e300))
def test_every_number_is_written_nearly_as_it_is(one: float) -> None:
    assert float(number(one).replace(",", "")) == pytest.approx(one, rel=1e-3)
