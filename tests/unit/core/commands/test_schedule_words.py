from __future__ import annotations

from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.commands.schedule_words import parse_day, parse_moment, split_time
from slack_alert.core.commands.words import split_line
from slack_alert.core.errors import BadValue

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("line", "rest", "instant"),
    [
        ("deploy shop at 18:00", ["deploy", "shop"], "2026-12-01T17:00"),
        ("deploy shop AT 18:00", ["deploy", "shop"], "2026-12-01T17:00"),
        ("deploy shop at 18:00:30", ["deploy", "shop"], "2026-12-01T17:00:30"),
        ("deploy shop at １８：００", ["deploy", "shop"], "2026-12-01T17:00"),
        ("deploy shop at 9:00", ["deploy", "shop"], "2026-12-02T08:00"),
        ("deploy shop at 13:00", ["deploy", "shop"], "2026-12-02T12:00"),
        ("deploy shop at tomorrow 9:00", ["deploy", "shop"], "2026-12-02T08:00"),
        ("deploy shop at today 14:00", ["deploy", "shop"], "2026-12-01T13:00"),
        ("deploy shop at 2026-12-24 09:00", ["deploy", "shop"], "2026-12-24T08:00"),
        ("deploy shop at 2026-12-24T09:00", ["deploy", "shop"], "2026-12-24T08:00"),
        ("deploy shop at 2026-12-24T09:00+09:00", ["deploy", "shop"], "2026-12-24T00:00"),
        ("deploy in 20m", ["deploy"], "2026-12-01T12:20"),
        ("deploy in 1h30m", ["deploy"], "2026-12-01T13:30"),
        ("deploy at 18:00 in 20m", ["deploy", "at", "18:00"], "2026-12-01T12:20"),
    ],
)
def test_the_time_at_the_end_is_taken(line: str, rest: list[str], instant: str) -> None:
    assert split_time(split_line(line), zone=BERLIN, now=NOW) == (rest, utc(instant))


@pytest.mark.parametrize(
    "line",
    [
        "", "at 18:00", "in 20m", "deploy shop", "look at home", "deploy in 20", "deploy in", "deploy at",
        "deploy at noon", 'remind "tea at 18:00"', 'say "at" 18:00', 'say at "18:00"', "say in `20m x`",
        "deploy at 18:00 now", "deploy at 2026-12-24", "deploy at tomorrow", "deploy in -5m", "deploy 18:00",
    ],
)  # fmt: skip
def test_other_words_are_left(line: str) -> None:
    words = split_line(line)

    assert split_time(words, zone=BERLIN, now=NOW) == (words, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deploy at 25:00", "'25:00' is not a time of day."),
        ("deploy at 2026-02-30 9:00", "'2026-02-30 9:00' is not a date and time: day is out of range for month."),
        ("deploy at 2026-11-30 9:00", "2026-11-30 9:00 has passed."),
        ("deploy at yesterday 9:00", "yesterday 9:00 has passed."),
        ("deploy at today 9:00", "today 9:00 has passed."),
        ("deploy in 9999d", "'9999d' is not a duration between 0 and ten years."),
    ],
)
def test_a_moment_that_cannot_be_is_said(line: str, said: str) -> None:
    with pytest.raises(BadValue) as raised:
        split_time(split_line(line), zone=BERLIN, now=NOW)

    assert str(raised.value) == said
    assert raised.value.hint


def test_a_time_of_day_that_a_shift_skips_is_the_first_one_after_it() -> None:
    before = utc("2026-03-28T20:00")

    assert split_time(["x", "at", "2:30"], zone=BERLIN, now=before)[1] == utc("2026-03-29T01:00")


def test_moments_and_days_in_arguments_may_have_passed() -> None:
    assert parse_moment("9:00", zone=BERLIN, now=NOW) == utc("2026-12-01T08:00")
    assert parse_moment("tomorrow", zone=BERLIN, now=NOW) == utc("2026-12-01T23:00")
    assert parse_day("yesterday", zone=BERLIN, now=NOW) == date(2026, 11, 30)
    assert parse_day("2026-12-24", zone=BERLIN, now=NOW) == date(2026, 12, 24)
    # In Tokyo it is the next day already.
    assert parse_day("today", zone=ZoneInfo("Asia/Tokyo"), now=utc("2026-12-01T16:00")) == date(2026, 12, 2)
