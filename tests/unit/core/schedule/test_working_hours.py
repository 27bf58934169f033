from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.schedule.working_hours import WorkingHours

BERLIN = ZoneInfo("Europe/Berlin")
UTC = timezone.utc


def at(text: str, *, fold: int = 0) -> datetime:
    """Return the instant of a Berlin wall time; 2026-11-16 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("9:30-19:00", ["16 09:30", "16 18:59:59.999999", "22 12:00"], ["16 09:29:59.999999", "16 19:00", "16 00:00"]),
        ("9:00-12:00,13:00-18:00", ["16 11:59", "16 13:00"], ["16 12:00", "16 12:59"]),
        ("9:00-12:00 , 13:00 - 18:00", ["16 11:59", "16 13:00"], ["16 12:00"]),
        ("mon-fri 9:30-19:00; sat 10:00-14:00", ["20 09:30", "21 10:00"], ["21 09:30", "21 14:00", "22 12:00"]),
        ("22:00-06:00", ["16 22:00", "17 05:59", "16 00:00"], ["16 06:00", "16 21:59"]),
        ("fri 22:00-06:00", ["20 22:00", "21 05:59"], ["20 05:59", "21 06:00", "21 22:00"]),
        ("sun 22:00-06:00", ["22 22:00", "16 05:59"], ["22 05:59", "16 06:00"]),
        ("20:00-0:00", ["16 23:59"], ["16 00:00", "16 19:59"]),
        ("0:00-24:00", ["16 00:00", "22 23:59"], []),
        ("tue 0:00-24:00", ["17 00:00", "17 23:59"], ["16 23:59", "18 00:00"]),
        ("fri-mon 9:00-17:00", ["20 09:00", "21 09:00", "22 09:00", "16 09:00"], ["17 09:00", "19 09:00"]),
        ("mon,wed, FRI 9:00-17:00", ["16 09:00", "18 09:00", "20 09:00"], ["17 09:00", "19 09:00"]),
        ("sat,mon-tue 9:00-17:00", ["16 09:00", "17 09:00", "21 09:00"], ["18 09:00", "22 09:00"]),
        ("Monday-Friday 9:00-17:00", ["16 09:00"], ["21 09:00"]),
        ("mon 9:00-17:00; mon 12:00-20:00", ["16 09:00", "16 19:59"], ["16 20:00"]),
    ],
)
def test_windows_are_half_open_on_the_wall_clock(text: str, inside: list[str], outside: list[str]) -> None:
    hours = WorkingHours.parse(text, BERLIN)

    assert [True] * len(inside) == [hours.contains(at(f"2026-11-{time}")) for time in inside]
    assert [False] * len(outside) == [hours.contains(at(f"2026-11-{time}")) for time in outside]


@pytest.mark.parametrize("text", ["", "  ", "always", "Always", "0:00-24:00", "0:00-12:00, 12:00-24:00"])
def test_always_open_never_changes(text: str) -> None:
    hours = WorkingHours.parse(text, BERLIN)
    now = at("2026-11-16 03:14:15")

    assert hours.is_always
    assert hours.contains(now)
    assert now == hours.next_open(now)
    assert hours.next_change(now) is None


def test_text_is_kept_as_written() -> None:
    assert WorkingHours.parse("Mon 9:00-10:00", BERLIN).text == "Mon 9:00-10:00"


def test_hours_are_equal_by_text_and_zone() -> None:
    assert WorkingHours("9:00-10:00", BERLIN) == WorkingHours.parse("9:00-10:00", BERLIN)
    assert WorkingHours("9:00-10:00", BERLIN) != WorkingHours("9:00-10:00", UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("25:99", "'25:99' is not a window"),
        ("9:30", "'9:30' is not a window"),
        ("9-17", "'9-17' is not a window"),
        ("25:00-26:00", "'25:00-26:00' holds a time that no clock shows"),
        ("9:60-10:00", "'9:60-10:00' holds a time that no clock shows"),
        ("9:00-24:01", "'9:00-24:01' holds a time that no clock shows"),
        ("24:00-6:00", "'24:00-6:00' holds a time that no clock shows"),
        ("9:00-9:00", "'9:00-9:00' is empty"),
        ("9:30-19:00,", "an empty part (a comma or semicolon too many) is not a window"),
        ("9:30-19:00;", "an empty part (a comma or semicolon too many) has no window"),
        (";", "an empty part (a comma or semicolon too many) has no window"),
        ("mon-fri", "'mon-fri' has no window"),
        ("nine to five", "'nine to five' has no window"),
        ("mon-fry 9:00-17:00", "'fry' is not a day of the week"),
        ("mon-, 9:00-17:00", "the name of a day is missing"),
        ("mon,,tue 9:00-17:00", "the name of a day is missing"),
        ("mon 9:00-12:00, tue 9:00-12:00", "'tue 9:00-12:00' is not a window"),
    ],
)
def test_nonsense_is_refused_with_the_text_the_reason_and_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(BadValue) as caught:
        WorkingHours(text, BERLIN)

    assert f"working hours {text!r}: {reason}" == str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("word", "meant"), [("fry", "fri"), ("mondy", "mon"), ("thurs", "thu"), ("tues", "tue")])
def test_unknown_day_is_answered_with_the_nearest_one(word: str, meant: str) -> None:
    with pytest.raises(BadValue) as caught:
        WorkingHours(f"{word} 9:00-17:00", BERLIN)

    assert f"Did you mean {meant}? Allowed: mon, tue, wed, thu, fri, sat, sun." == caught.value.hint


@pytest.mark.parametrize(
    ("text", "now", "opens", "changes"),
    [
        ("9:30-19:00", "2026-11-16 08:00", "2026-11-16 09:30", "2026-11-16 09:30"),
        ("9:30-19:00", "2026-11-16 09:30", "2026-11-16 09:30", "2026-11-16 19:00"),
        ("9:30-19:00", "2026-11-16 18:59:59.500", "2026-11-16 18:59:59.500", "2026-11-16 19:00"),
        ("9:30-19:00", "2026-11-16 19:00", "2026-11-17 09:30", "2026-11-17 09:30"),
        ("mon-fri 9:00-17:00", "2026-11-20 17:00", "2026-11-23 09:00", "2026-11-23 09:00"),
        ("mon 0:00-24:00; tue 0:00-1:00", "2026-11-16 12:00", "2026-11-16 12:00", "2026-11-17 01:00"),
        ("sun 22:00-06:00", "2026-11-22 23:00", "2026-11-22 23:00", "2026-11-23 06:00"),
        # Windows skipped by the shift of 2026-03-29, wholly and in part.
        ("2:00-3:00", "2026-03-28 12:00", "2026-03-30 02:00", "2026-03-30 02:00"),
        ("sun 2:00-3:00", "2026-03-28 12:00", "2026-04-05 02:00", "2026-04-05 02:00"),
        ("2:30-4:00", "2026-03-29 01:30", "2026-03-29 03:00", "2026-03-29 03:00"),
        ("1:00-2:30", "2026-03-29 01:30", "2026-03-29 01:30", "2026-03-29 03:00"),
    ],
)
def test_next_change_is_the_next_edge(text: str, now: str, opens: str, changes: str) -> None:
    hours = WorkingHours.parse(text, BERLIN)

    assert at(opens) == hours.next_open(at(now))
    assert at(changes) == hours.next_change(at(now))


def test_window_in_a_repeated_hour_opens_twice() -> None:
    hours = WorkingHours.parse("2:15-2:45", BERLIN)
    edges = [at("2026-10-25 02:00")]
    while len(edges) < 5:
        edges.append(hours.next_change(edges[-1]) or edges[-1])

    first_pass = [at("2026-10-25 02:15"), at("2026-10-25 02:45")]
    assert [*first_pass, *(edge + timedelta(hours=1) for edge in first_pass)] == edges[1:]


def test_window_that_begins_in_the_middle_of_a_repeated_hour_closes_when_the_clock_is_put_back() -> None:
    hours = WorkingHours.parse("2:30-12:00", BERLIN)
    put_back = at("2026-10-25 02:00", fold=1)

    assert put_back == hours.next_change(at("2026-10-25 02:30"))
    assert at("2026-10-25 02:30", fold=1) == hours.next_open(put_back)


def test_answers_are_in_utc() -> None:
    opens = WorkingHours.parse("9:30-19:00", BERLIN).next_change(at("2026-11-16 08:00"))

    assert opens is not None
    assert opens.tzinfo is UTC
