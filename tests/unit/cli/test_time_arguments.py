from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.units.moments import parse_end, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")


def wall(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("said", "now", "expected"),
    [
        ("9:00", "2026-11-16T08:00", "2026-11-16T09:00"),
        ("9:00", "2026-11-16T09:00", "2026-11-17T09:00"),
        ("9:00", "2026-11-16T23:59", "2026-11-17T09:00"),
        ("09:00:30", "2026-11-16T09:00", "2026-11-16T09:00:30"),
        ("2026-11-23", "2026-11-16T08:00", "2026-11-23T00:00"),
        (" 2026-11-23T09:00 ", "2026-11-16T08:00", "2026-11-23T09:00"),
        ("2026-11-23T08:00Z", "2026-11-16T08:00", "2026-11-23T09:00"),
        # The day with 25 hours, and the one whose 2:30 never comes.
        ("0:05", "2026-10-25T00:10", "2026-10-26T00:05"),
        ("2:30", "2026-03-28T03:00", "2026-03-29T03:00"),
    ],
)
def test_end_is_the_next_time_of_day_or_the_day_that_was_named(said: str, now: str, expected: str) -> None:
    assert parse_end(said, zone=BERLIN, now=wall(now)) == wall(expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-11-16T07:59", "'2026-11-16T07:59' has passed."),
        ("now", "'now' has passed."),
        ("25:00", "'25:00' is not a time of day."),
        ("8", "'8' is not a time."),
        ("2h", "'2h' is not a time."),
        ("tomorrow", "'tomorrow' is not a time."),
        ("0001-01-01T00:00", "'0001-01-01T00:00' has passed."),
        ("2036-11-17T09:00", "'2036-11-17T09:00' is too far ahead: ten years are the most."),
        ("9999-12-31T23:59", "'9999-12-31T23:59' is too far ahead: ten years are the most."),
        ("9999-12-31T23:59-12:00", "'9999-12-31T23:59-12:00' is too far ahead: ten years are the most."),
    ],
)
def test_end_that_is_none_is_refused(said: str, expected: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse_end(said, zone=BERLIN, now=wall("2026-11-16T08:00"))

    assert str(raised.value) == expected
    assert raised.value.hint.startswith("Write 9:00 for the next one, or 2026-11-23T09:00")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("100000d", "'100000d' is out of range: ten years are the most."),
        ("soon", "'soon' is not a time."),
        ("0001-01-01T00:00", "'0001-01-01T00:00' is out of range: the years 1900 to 4999 are understood."),
        ("0001-01-01T00:00+12:00", "'0001-01-01T00:00+12:00' is out of range: the years 1900 to 4999 are understood."),
        ("9999-12-31T00:00", "'9999-12-31T00:00' is out of range: the years 1900 to 4999 are understood."),
    ],
)
def test_a_moment_that_is_none_is_refused_with_the_reason(said: str, wrong: str) -> None:
    with pytest.raises(BadValue, match=re.escape(wrong)):
        parse_moment(said, zone=BERLIN, now=wall("2026-11-16T08:00"))


@pytest.mark.parametrize("year", ["1900", "4999"])
def test_the_years_at_the_ends_are_understood(year: str) -> None:
    said = f"{year}-01-01T00:00"

    assert parse_moment(said, zone=BERLIN, now=wall("2026-11-16T08:00")) == wall(said)
