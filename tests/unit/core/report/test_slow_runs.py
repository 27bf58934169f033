from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.report.slow_runs import KNOWN, WINDOW, is_longer, nearest_rank, usual
from slack_alert.core.units.humanize import humanize_duration

SPANS = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=2))


def seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=number) for number in numbers]


@pytest.mark.parametrize(
    ("count", "percent", "rank"),
    [
        (1, 50, 1),
        (1, 95, 1),
        (2, 50, 1),
        (3, 50, 2),
        (4, 50, 2),
        (10, 95, 10),
        (19, 95, 19),
        (20, 95, 19),
        (100, 95, 95),
    ],
)
def test_a_percentile_is_the_nearest_rank(count: int, percent: int, rank: int) -> None:
    assert nearest_rank(seconds(*range(1, count + 1)), percent) == timedelta(seconds=rank)


@given(st.lists(SPANS, min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_run_that_was_and_so_many_percent_do_not_exceed_it(
    spans: list[timedelta], percent: int
) -> None:
    found = nearest_rank(sorted(spans), percent)

    assert found in spans
    assert sum(span <= found for span in spans) * 100 >= percent * len(spans)
    assert sum(span < found for span in spans) * 100 < percent * len(spans)


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ([], None),
        ([3] * (KNOWN - 1), None),
        ([3] * KNOWN, 3),
        ([1, 9, 2, 8, 3], 3),
        ([100] * 50 + [1] * WINDOW, 1),
    ],
)
def test_the_median_of_the_last_runs_is_usual_once_enough_are_known(durations: list[float], expected: float) -> None:
    assert usual(seconds(*durations)) == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("took", "than", "expected"),
    [(2.5, 2, True), (2.4, 2, False), (2.5, None, False), (0.9, 0.1, False), (1.0, 0.1, False), (1.1, 0.1, True)],
)
def test_a_run_of_over_a_second_and_over_1_2_times_the_usual_took_longer(
    took: float, than: float | None, *, expected: bool
) -> None:
    usually = None if than is None else timedelta(seconds=than)

    assert is_longer(timedelta(seconds=took), usually) is expected


@given(SPANS, SPANS)
def test_what_took_no_longer_is_never_longer_than_usual(one: timedelta, other: timedelta) -> None:
    assert not is_longer(min(one, other), max(one, other))


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        (0, "0 ms"),
        (0.00004, "0.04 ms"),
        (0.0801, "80.1 ms"),
        (0.5, "500 ms"),
        (0.9999, "1 s"),
        (1.2349, "1.23 s"),
        (9.999, "10 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (185, "3 min 5 s"),
        (3599.6, "1 h"),
        (7380, "2 h 3 min"),
        (3_600_000, "1,000 h"),
    ],
)
def test_a_duration_is_said_in_few_digits(took: float, expected: str) -> None:
    assert humanize_duration(timedelta(seconds=took)) == expected
