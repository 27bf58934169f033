from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import LONGEST_DELAY, RunOptions
from slack_alert.core.units.quantities import format_size, parse_size


@pytest.mark.parametrize(
    ("first", "attempt", "chance", "delay"),
    [(30, 1, 0.0, 30), (30, 2, 0.0, 60), (30, 4, 0.0, 240), (30, 40, 0.0, 3600), (30, 1, 0.5, 33.75), (0, 3, 0.9, 0)],
)
def test_each_retry_waits_twice_as_long_up_to_an_hour(first: int, attempt: int, chance: float, delay: float) -> None:
    assert RunOptions(retry_delay=timedelta(seconds=first)).delay(attempt, chance) == timedelta(seconds=delay)


def test_a_first_delay_of_more_than_an_hour_is_kept() -> None:
    run_options = RunOptions(retry_delay=timedelta(hours=5))

    assert [run_options.delay(attempt, 0.0) for attempt in (1, 2)] == [timedelta(hours=5)] * 2


@given(st.integers(1, 10_000), st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_no_retry_waits_less_than_asked_for_nor_much_longer_than_the_longest(
    seconds: int, attempt: int, chance: float
) -> None:
    first = timedelta(seconds=seconds)
    delay = RunOptions(retry_delay=first).delay(attempt, chance)

    assert first <= delay <= max(first, LONGEST_DELAY) * 1.25


@pytest.mark.parametrize(
    ("text", "size"), [("512MB", 2**29), ("2 GB", 2**31), ("1.5g", 3 * 2**29), ("64KiB", 65_536), ("7", 7), ("7b", 7)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1TB", "1 2MB", "many"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is not a size"):
        parse_size(text)


@given(st.integers(0, 2**40))
def test_a_written_size_is_read_as_the_same(size: int) -> None:
    assert parse_size(format_size(size)) == size
