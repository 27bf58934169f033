from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.units.quantities import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        (0, 0),
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        (" 1H 30M ", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1w2d3h4m5.25s", 788_645.25),
        ("1.5h", 5400),
    ],
)
def test_duration_is_read(value: object, seconds: float) -> None:
    assert timedelta(seconds=seconds) == parse_duration(value)


@pytest.mark.parametrize(("value", "minutes"), [(60, 60), ("60", 60), ("60s", 1), ("1h", 60)])
def test_only_a_bare_number_is_in_the_given_unit(value: object, minutes: int) -> None:
    assert timedelta(minutes=minutes) == parse_duration(value, unit="m")


@pytest.mark.parametrize(
    "value",
    [True, None, -1, float("nan"), float("inf"), 1j, [], "", " ", "s", "-5m", "5x", "30m1h", "1h1h", "1e3", "4000d"],
)
def test_what_is_no_duration_is_refused_with_the_value_and_what_to_write(value: object) -> None:
    with pytest.raises(BadValue) as caught:
        parse_duration(value)

    assert repr(value) in str(caught.value)
    assert "1h30m" in caught.value.hint


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(seconds=2), "2s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=2), "2d"),
        (timedelta(weeks=1), "7d"),
        (timedelta(milliseconds=500), "0.5s"),
        (timedelta(minutes=1, milliseconds=250), "1m0.25s"),
        (timedelta(microseconds=1), "0.000001s"),
        (timedelta(0), "0s"),
    ],
)
def test_duration_is_written_short(duration: timedelta, written: str) -> None:
    assert written == format_duration(duration)


def test_largest_unit_keeps_days_in_hours() -> None:
    assert format_duration(timedelta(days=1, minutes=5), largest="h") == "24h5m"


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_what_is_written_is_read_back(duration: timedelta) -> None:
    assert duration == parse_duration(format_duration(duration))
