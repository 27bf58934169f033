from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.schedule.slots import SlotSpan
from slack_alert.core.schedule.triggers import TIME_KEYWORDS, Trigger, parse_trigger
from tests.fakes.rows import in_turn

UTC = timezone.utc
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
#: A Monday.
SEEN = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)


def trigger_of(zone: tzinfo = BERLIN, /, **keywords: object) -> Trigger:
    trigger = parse_trigger(keywords, zone=zone, name="examples.a")
    assert trigger is not None
    return trigger


def slots_of(trigger: Trigger, *, after: datetime, count: int, until: datetime | None = None) -> list[datetime]:
    slots: list[datetime] = []
    while len(slots) < count:
        slot = trigger.next_after(slots[-1] if slots else after, after)
        if slot is None or (until and slot > until):
            break
        slots.append(slot)
    return slots


def walls_of(trigger: Trigger, *, after: str, count: int, zone: tzinfo = BERLIN) -> list[str]:
    """Return the next due times as day, time and offset."""
    slots = slots_of(trigger, after=datetime.fromisoformat(after).replace(tzinfo=zone).astimezone(UTC), count=count)
    return [f"{slot.astimezone(zone):%d %H:%M%z}"[:-2] for slot in slots]


# Which keywords count


def test_no_time_keyword_is_no_trigger() -> None:
    assert parse_trigger({"command": "deploy", "jitter": "nonsense", "name": "a"}, zone=BERLIN, name="a") is None


def test_other_keywords_are_ignored() -> None:
    assert trigger_of(minutes=5) == trigger_of(minutes=5, name="x", at_start=True, to="#ops")


def test_time_keywords_are_those_of_the_contract() -> None:
    assert TIME_KEYWORDS == ("weeks", "days", "hours", "minutes", "seconds", "cron", "at")


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"seconds": 2}, "every 2s"),
        ({"hours": 1, "minutes": 30}, "every 1h30m"),
        ({"minutes": 60 * 5}, "every 5h"),
        ({"seconds": 0.5}, "every 0.5s"),
        ({"hours": 24}, "every 24h"),
        ({"days": 1}, "every 1d"),
        ({"weeks": 1, "days": 1}, "every 8d"),
        ({"days": 0.5}, "every 12h"),
        ({"days": 2, "at": "9:00"}, "every 2d at 09:00"),
        ({"days": 1, "at": "00:00"}, "every 1d at 00:00"),
        ({"days": 1, "at": "09:00:30"}, "every 1d at 09:00:30"),
        ({"cron": "0  9 * * mon-fri"}, "cron 0 9 * * mon-fri"),
        ({"cron": ["0 9 * * *", "@hourly"]}, "cron 0 9 * * * and cron @hourly"),
        ({"at": "2026-12-24T09:00"}, "at 2026-12-24 09:00"),
        ({"at": "2026-12-24 09:00:30"}, "at 2026-12-24 09:00:30"),
        ({"at": "2026-12-24T09:00Z"}, "at 2026-12-24 10:00"),
        ({"cron": "@daily", "minutes": 5}, "every 5m and cron @daily"),
        ({"minutes": 5, "start": "2026-12-24", "jitter": 30}, "every 5m"),
    ],
)
def test_trigger_is_described_as_it_was_meant(keywords: dict[str, object], said: str) -> None:
    assert said == trigger_of(**keywords).describe()


@pytest.mark.parametrize(
    ("keywords", "by_wall_clock"),
    [
        ({"seconds": 2}, False),
        ({"hours": 24}, False),
        ({"days": 0.5}, False),
        ({"days": 1, "hours": 1}, False),
        ({"days": 1}, True),
        ({"weeks": 1.0}, True),
        ({"days": 1, "at": "09:00"}, True),
        ({"cron": "* * * * *"}, True),
        ({"at": "2026-12-24T09:00"}, True),
        ({"cron": "@daily", "seconds": 2}, False),
        ({"days": 1, "jitter": 5, "end": "2030-01-01"}, True),
    ],
)
def test_only_whole_days_cron_and_at_go_by_the_wall_clock(keywords: dict[str, object], by_wall_clock: bool) -> None:
    assert by_wall_clock == trigger_of(**keywords).by_wall_clock


# Elapsed intervals


def test_first_run_is_one_interval_after_the_job_was_first_seen() -> None:
    slots = slots_of(trigger_of(minutes=2, seconds=30), after=SEEN, count=3)

    assert [SEEN + timedelta(seconds=150 * step) for step in (1, 2, 3)] == slots


def test_grid_stays_where_the_job_was_first_seen() -> None:
    late = SEEN + timedelta(minutes=7, seconds=3)

    assert SEEN + timedelta(minutes=10) == trigger_of(minutes=5).next_after(late, SEEN)


def test_interval_does_not_drift_in_ten_years() -> None:
    trigger = trigger_of(seconds=0.1)
    years = timedelta(days=3650)

    assert SEEN + years + timedelta(milliseconds=100) == trigger.next_after(SEEN + years, SEEN)
    assert trigger.passed(SEEN, SEEN + years, SEEN).count == 3650 * 86_400 * 10


def test_start_is_the_first_slot_and_the_anchor() -> None:
    slots = slots_of(trigger_of(minutes=5, start="2026-11-16T12:00"), after=SEEN, count=2)
    noon = datetime(2026, 11, 16, 11, tzinfo=UTC)

    assert [noon, noon + timedelta(minutes=5)] == slots


def test_start_in_the_past_sets_the_grid() -> None:
    trigger = trigger_of(minutes=5, start="2020-01-01T00:02")

    assert SEEN + timedelta(minutes=2) == trigger.next_after(SEEN, SEEN)


def test_end_is_exclusive() -> None:
    trigger = trigger_of(minutes=5, end="2026-11-16T08:40")

    assert [SEEN + timedelta(minutes=5)] == slots_of(trigger, after=SEEN, count=9)
    assert trigger.passed(SEEN, SEEN + timedelta(days=1), SEEN).count == 1


def test_twenty_four_hours_are_elapsed_time_across_a_shift() -> None:
    walls = walls_of(trigger_of(hours=24), after="2026-10-24T12:00", count=2)

    assert walls == ["25 11:00+01", "26 11:00+01"]


# Whole days


def test_whole_days_keep_the_local_time_across_a_shift() -> None:
    walls = walls_of(trigger_of(days=1), after="2026-10-24T12:00", count=2)

    assert walls == ["25 12:00+01", "26 12:00+01"]


@pytest.mark.parametrize(
    ("after", "walls"),
    [
        ("2026-03-28T02:30", ["29 03:00+02", "30 02:30+02"]),
        ("2026-10-24T02:30", ["25 02:30+02", "26 02:30+01"]),
    ],
)
def test_skipped_time_runs_at_the_first_valid_instant_and_a_repeated_one_once(after: str, walls: list[str]) -> None:
    assert walls == walls_of(trigger_of(days=1), after=after, count=2)


def test_half_an_hour_is_skipped_on_lord_howe() -> None:
    walls = walls_of(trigger_of(LORD_HOWE, days=1), after="2026-10-03T02:10", count=2, zone=LORD_HOWE)

    assert walls == ["04 02:30+11", "05 02:10+11"]


@pytest.mark.parametrize(
    ("keywords", "walls"),
    [
        ({"days": 1, "at": "09:00"}, ["16 09:00+01", "17 09:00+01", "18 09:00+01"]),
        ({"days": 1, "at": "08:00"}, ["17 08:00+01", "18 08:00+01", "19 08:00+01"]),
        ({"days": 2, "at": "09:00"}, ["16 09:00+01", "18 09:00+01", "20 09:00+01"]),
        ({"weeks": 1, "at": "08:00"}, ["17 08:00+01", "24 08:00+01", "01 08:00+01"]),
        ({"days": 2, "at": "09:00", "start": "2026-11-18"}, ["18 09:00+01", "20 09:00+01", "22 09:00+01"]),
        ({"days": 2, "start": "2026-11-18T07:15"}, ["18 07:15+01", "20 07:15+01", "22 07:15+01"]),
    ],
)
def test_time_of_day_is_first_met_after_the_job_was_first_seen(keywords: dict[str, object], walls: list[str]) -> None:
    assert walls == walls_of(trigger_of(**keywords), after="2026-11-16T08:30", count=3)


def test_time_of_day_at_which_the_job_was_first_seen_is_a_slot() -> None:
    trigger = trigger_of(days=2, at="08:30")

    assert trigger.next_after(SEEN, SEEN) == SEEN + 2 * DAY
    assert SlotSpan(2, SEEN, SEEN + 2 * DAY) == trigger.passed(SEEN - timedelta(seconds=1), SEEN + 2 * DAY, SEEN)


def test_start_in_the_second_pass_of_a_repeated_hour_is_the_first_slot() -> None:
    slots = walls_of(trigger_of(days=1, start="2026-10-25T02:30+01:00"), after="2026-10-24T00:00", count=2)

    assert slots == ["25 02:30+01", "26 02:30+01"]


# Once


def test_moment_comes_once() -> None:
    trigger = trigger_of(at="2026-12-24T09:00")
    due = datetime(2026, 12, 24, 8, tzinfo=UTC)

    assert [due] == slots_of(trigger, after=SEEN, count=2)
    assert SlotSpan(1, due, due) == trigger.passed(SEEN, due, SEEN)
    assert SlotSpan() == trigger.passed(due, due + timedelta(days=1), SEEN)


@pytest.mark.parametrize(
    ("written", "hour"),
    [("2026-12-24T09:00+03:00", 6), ("2026-12-24 09:00:00Z", 9), ("2026-12-24t9:00-0100", 10)],
)
def test_moment_may_name_its_offset(written: str, hour: int) -> None:
    assert datetime(2026, 12, 24, hour, tzinfo=UTC) == trigger_of(at=written).next_after(SEEN, SEEN)


# Cron


@pytest.mark.parametrize(
    ("line", "walls"),
    [
        ("0 9 * * mon-fri", ["17 09:00+01", "18 09:00+01", "19 09:00+01", "20 09:00+01", "23 09:00+01"]),
        ("*/15 * * * *", ["16 09:15+01", "16 09:30+01", "16 09:45+01", "16 10:00+01", "16 10:15+01"]),
        ("5-20/10,50 9 * * *", ["16 09:05+01", "16 09:15+01", "16 09:50+01", "17 09:05+01", "17 09:15+01"]),
        ("0 9 * * fri-mon", ["20 09:00+01", "21 09:00+01", "22 09:00+01", "23 09:00+01", "27 09:00+01"]),
        ("0 9 * * 0", ["22 09:00+01", "29 09:00+01", "06 09:00+01", "13 09:00+01", "20 09:00+01"]),
        ("0 9 * * 7", ["22 09:00+01", "29 09:00+01", "06 09:00+01", "13 09:00+01", "20 09:00+01"]),
        ("0 9 * * sat-sun", ["21 09:00+01", "22 09:00+01", "28 09:00+01", "29 09:00+01", "05 09:00+01"]),
        ("0 9 * * 5-7/2", ["20 09:00+01", "22 09:00+01", "27 09:00+01", "29 09:00+01", "04 09:00+01"]),
        ("0 0 17 * thu", ["17 00:00+01", "19 00:00+01", "26 00:00+01", "03 00:00+01", "10 00:00+01"]),
        ("0 0 */2 * thu", ["19 00:00+01", "03 00:00+01", "17 00:00+01", "31 00:00+01", "07 00:00+01"]),
        ("0 0 */2,16-18 * thu", ["19 00:00+01", "03 00:00+01", "17 00:00+01", "31 00:00+01", "07 00:00+01"]),
        ("0 9 */100,1-7 * tue", ["01 09:00+01", "05 09:00+01", "02 09:00+01", "02 09:00+01", "06 09:00+02"]),
        ("0 9 1-7 * */7", ["06 09:00+01", "03 09:00+01", "07 09:00+01", "07 09:00+01", "04 09:00+02"]),
        ("0 9 1-7 * */9,mon", ["06 09:00+01", "07 09:00+01", "03 09:00+01", "04 09:00+01", "01 09:00+01"]),
        ("0 9 * Jan,JUL mon", ["04 09:00+01", "11 09:00+01", "18 09:00+01", "25 09:00+01", "05 09:00+02"]),
        ("0 9 1 Jan,JUL *", ["01 09:00+01", "01 09:00+02", "01 09:00+01", "01 09:00+02", "01 09:00+01"]),
        ("0 0 31 * *", ["31 00:00+01", "31 00:00+01", "31 00:00+02", "31 00:00+02", "31 00:00+02"]),
        ("@hourly", ["16 10:00+01", "16 11:00+01", "16 12:00+01", "16 13:00+01", "16 14:00+01"]),
        ("@Daily", ["17 00:00+01", "18 00:00+01", "19 00:00+01", "20 00:00+01", "21 00:00+01"]),
        ("@weekly", ["22 00:00+01", "29 00:00+01", "06 00:00+01", "13 00:00+01", "20 00:00+01"]),
        ("@monthly", ["01 00:00+01", "01 00:00+01", "01 00:00+01", "01 00:00+01", "01 00:00+02"]),
    ],
)
def test_cron_line_names_its_times(line: str, walls: list[str]) -> None:
    assert walls == walls_of(trigger_of(cron=line), after="2026-11-16T09:00", count=5)


def test_leap_day_comes_every_four_years_but_not_in_2100() -> None:
    slots = slots_of(trigger_of(UTC, cron="0 0 29 2 *"), after=datetime(2090, 1, 1, tzinfo=UTC), count=3)

    assert [slot.year for slot in slots] == [2092, 2096, 2104]


@pytest.mark.parametrize(
    ("line", "after", "walls"),
    [
        # 02:00 to 03:00 is skipped.
        ("30 2 * * *", "2026-03-28T12:00", ["29 03:00+02", "30 02:30+02"]),
        ("*/20 2 * * *", "2026-03-28T12:00", ["29 03:00+02", "30 02:00+02"]),
        ("0,30 2,3 * * *", "2026-03-28T12:00", ["29 03:00+02", "29 03:30+02", "30 02:00+02"]),
        ("30 * * * *", "2026-03-29T00:45", ["29 01:30+01", "29 03:30+02", "29 04:30+02"]),
        ("0 */2 * * *", "2026-03-28T23:00", ["29 00:00+01", "29 04:00+02"]),
        # 02:00 to 03:00 is repeated.
        ("30 2 * * *", "2026-10-24T12:00", ["25 02:30+02", "26 02:30+01"]),
        ("*/30 1-3 * * *", "2026-10-25T01:30", ["25 02:00+02", "25 02:30+02", "25 03:00+01", "25 03:30+01"]),
        ("30 * * * *", "2026-10-25T01:00", ["25 01:30+02", "25 02:30+02", "25 02:30+01", "25 03:30+01"]),
        ("0 */2 * * *", "2026-10-25T00:00", ["25 02:00+02", "25 02:00+01", "25 04:00+01"]),
    ],
)
def test_shifts_skip_and_repeat_times_by_the_rule_of_the_hour_field(line: str, after: str, walls: list[str]) -> None:
    assert walls == walls_of(trigger_of(cron=line), after=after, count=len(walls))


@pytest.mark.parametrize(
    ("line", "day", "count"),
    [
        ("* * * * *", "2026-03-29", 23 * 60),
        ("* * * * *", "2026-10-25", 25 * 60),
        ("30 2 * * *", "2026-03-29", 1),
        ("*/10 2 * * *", "2026-03-29", 1),
        ("*/10 2,12 * * *", "2026-03-29", 7),
        ("*/10 2 * * *", "2026-10-25", 6),
        ("0 */2 * * *", "2026-03-29", 11),
        ("0 */2 * * *", "2026-10-25", 13),
    ],
)
def test_day_of_a_shift_has_as_many_times_as_its_clock_shows(line: str, day: str, count: int) -> None:
    trigger = trigger_of(cron=line)
    midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    begin, end = (moment.astimezone(UTC) - timedelta(microseconds=1) for moment in (midnight, midnight + DAY))

    assert count == trigger.passed(begin, end, begin).count
    assert count == len(slots_of(trigger, after=begin, count=count + 1, until=end))


def test_minutes_of_a_year_are_counted_by_the_day() -> None:
    trigger = trigger_of(cron="* * * * *")
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert SlotSpan(365 * 1440, begin + timedelta(minutes=1), end) == trigger.passed(begin, end, begin)


# Several at once


def test_union_is_due_when_either_is_and_counts_a_common_moment_once() -> None:
    trigger = trigger_of(minutes=40, cron=["0 * * * *", "0 9 * * *"])

    walls = walls_of(trigger, after="2026-11-16T08:00", count=5)
    assert walls == ["16 08:40+01", "16 09:00+01", "16 09:20+01", "16 10:00+01", "16 10:40+01"]
    begin = datetime(2026, 11, 16, 7, tzinfo=UTC)
    assert trigger.passed(begin, begin + timedelta(hours=2), begin).count == 4


def test_bounds_hold_for_every_part() -> None:
    trigger = trigger_of(hours=1, cron="30 * * * *", start="2026-11-16T12:00", end="2026-11-16T13:30")

    assert walls_of(trigger, after="2026-11-16T08:00", count=9) == ["16 12:00+01", "16 12:30+01", "16 13:00+01"]


# Jitter


def test_jitter_moves_each_slot_by_less_than_itself_and_never_accumulates() -> None:
    slots = slots_of(trigger_of(minutes=5, jitter="30s"), after=SEEN, count=200)
    offsets = [slot - SEEN - step * timedelta(minutes=5) for step, slot in enumerate(slots, 1)]

    assert all(timedelta(0) <= offset < timedelta(seconds=30) for offset in offsets)
    assert len(set(offsets)) > 190


def test_jitter_is_the_same_in_every_process() -> None:
    assert slots_of(trigger_of(minutes=5, jitter=30), after=SEEN, count=1) == [
        datetime(2026, 11, 16, 7, 35, 25, 489208, tzinfo=UTC)
    ]


def test_jitter_differs_from_job_to_job() -> None:
    keywords = {"minutes": 5, "jitter": 30}
    first, second = (parse_trigger(keywords, zone=UTC, name=name) for name in ("examples.a", "examples.b"))

    assert first is not None
    assert second is not None
    assert first.next_after(SEEN, SEEN) != second.next_after(SEEN, SEEN)


def test_jitter_longer_than_the_interval_loses_and_overtakes_nothing() -> None:
    slots = slots_of(trigger_of(seconds=10, jitter="1h"), after=SEEN, count=100)

    assert all(
        SEEN + step * timedelta(seconds=10) <= slot < SEEN + (step + 1) * timedelta(seconds=10)
        for step, slot in enumerate(slots, 1)
    )


def test_jitter_never_reaches_the_end() -> None:
    trigger = trigger_of(minutes=5, jitter="1h", end="2026-11-16T08:36")
    slots = slots_of(trigger, after=SEEN, count=9)

    assert len(slots) == 1
    assert all(slot < SEEN + timedelta(minutes=6) for slot in slots)


def test_jitter_of_nothing_is_none() -> None:
    assert trigger_of(minutes=5) == trigger_of(minutes=5, jitter=0)


# What is counted


def test_nothing_passes_in_no_time() -> None:
    trigger = trigger_of(seconds=2)

    assert SlotSpan() == trigger.passed(SEEN, SEEN + timedelta(seconds=1), SEEN)
    assert SlotSpan() == trigger.passed(SEEN + timedelta(hours=1), SEEN, SEEN)


def test_passed_includes_its_end_and_not_its_beginning() -> None:
    slots = [SEEN + timedelta(seconds=step) for step in (2, 4, 6)]

    assert SlotSpan(2, slots[1], slots[2]) == trigger_of(seconds=2).passed(slots[0], slots[2], SEEN)


def test_due_times_increase() -> None:
    trigger = trigger_of(seconds=45, cron=["*/7 * * * *", "30 2 * * *"], jitter="2m")
    slots = slots_of(trigger, after=datetime(2026, 10, 24, 22, tzinfo=UTC), count=500)

    assert all(earlier < later for earlier, later in pairwise(slots))


# What is refused


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"minutes": "5"}, "minutes must be a number above 0, got '5'"),
        ({"minutes": True}, "minutes must be a number above 0, got True"),
        ({"minutes": None}, "minutes must be a number above 0, got None"),
        ({"minutes": 0}, "minutes must be a number above 0, got 0"),
        ({"hours": -1.5}, "hours must be a number above 0, got -1.5"),
        ({"seconds": float("nan")}, "seconds must be a number above 0, got nan"),
        ({"seconds": float("inf")}, "seconds must be a number above 0, got inf"),
        ({"days": 1j}, "days must be a number above 0, got 1j"),
        ({"seconds": 0.09}, "seconds=0.09 is shorter than 0.1 seconds"),
        ({"days": 3654}, "days=3654 is longer than ten years"),
        ({"weeks": 520, "days": 20}, "weeks=520, days=20 is longer than ten years"),
        ({"weeks": 10**400, "seconds": 0.5}, "weeks is longer than ten years"),
        ({"hours": 1, "at": "09:00"}, "at='09:00' is a time of day, and hours=1 is not a number of whole days"),
        ({"days": 0.5, "at": "09:00"}, "at='09:00' is a time of day, and days=0.5 is not a number of whole days"),
        ({"days": 1, "at": "25:00"}, "at must be a time of day beside days=1, got '25:00'"),
        ({"days": 1, "at": "2026-12-24T09:00"}, "at must be a time of day beside days=1, got '2026-12-24T09:00'"),
        ({"hours": 1, "at": 9}, "at must be a time of day beside hours=1, got 9"),
        ({"at": "09:00"}, "at='09:00' has no date"),
        ({"at": "2026-12-24"}, "at='2026-12-24' has no time of day"),
        ({"at": "2026-02-30T09:00"}, "at: '2026-02-30T09:00' is not a date and time: day is out of range for month"),
        ({"at": 5}, "at: 5 is not a date and time"),
        ({"at": "2026-12-24T09:00+99:00"}, "at: '2026-12-24T09:00+99:00' is not a date and time: offset must be"),
        ({"at": "2026-12-24T09:00+01:75"}, "at: '2026-12-24T09:00+01:75' is not a date and time: the offset's"),
        ({"minutes": 5, "end": "0001-01-01"}, "end: '0001-01-01' is not a date and time: date value out of range"),
        ({"hours": 1, "start": "0001-01-01T00:00Z"}, "start: '0001-01-01T00:00Z' is out of range"),
        ({"days": 1, "at": "09:00", "start": "9999-12-31T23:00Z"}, "start: '9999-12-31T23:00Z' is out of range"),
        ({"cron": "0 9 * * *", "start": "9999-12-31T23:00Z"}, "start: '9999-12-31T23:00Z' is out of range"),
        ({"minutes": 5, "end": "0001-01-02T00:00Z"}, "nothing is ever due: every 5m has no time between"),
        ({"at": "9999-12-31T23:30Z"}, "at: '9999-12-31T23:30Z' is out of range"),
        ({"at": "1899-12-31T23:30Z"}, "at: '1899-12-31T23:30Z' is out of range"),
        ({"minutes": 5, "start": "soon"}, "start: 'soon' is not a date and time"),
        ({"minutes": 5, "start": "2026-12-24", "end": "2026-12-24"}, "end must be later than start"),
        ({"at": "2026-12-24T09:00", "end": "2026-12-24T09:00"}, "nothing is ever due: at 2026-12-24 09:00 has no time"),
        ({"days": 2, "start": "2026-12-24", "end": "2026-12-24T01:00", "at": "05:00"}, "nothing is ever due: every 2d"),
        ({"minutes": 5, "jitter": "long"}, "jitter: 'long' is not a duration"),
        ({"minutes": 5, "jitter": -1}, "jitter: -1 is not a duration between 0 and ten years"),
        ({"cron": 5}, "cron must be five fields in a string, got 5"),
        ({"cron": []}, "cron must be five fields in a string, got []"),
        ({"cron": ["0 9 * * *", None]}, "cron must be five fields in a string, got ['0 9 * * *', None]"),
        ({"cron": ""}, "cron '' has 0 fields instead of five"),
        ({"cron": "0 9 * *"}, "cron '0 9 * *' has 4 fields instead of five"),
        ({"cron": "0 0 9 * * *"}, "cron '0 0 9 * * *' has 6 fields instead of five"),
        ({"cron": "60 9 * * *"}, "cron '60 9 * * *': minute '60' is not a number from 0 to 59"),
        ({"cron": "0 24 * * *"}, "cron '0 24 * * *': hour '24' is not a number from 0 to 23"),
        ({"cron": "0 9 0 * *"}, "cron '0 9 0 * *': day of the month '0' is not a number from 1 to 31"),
        ({"cron": "0 9 * 13 *"}, "cron '0 9 * 13 *': month '13' is not a number from 1 to 12"),
        ({"cron": "0 9 * * 8"}, "cron '0 9 * * 8': day of the week '8' is not a number from 0 to 7"),
        ({"cron": "0 9, * * *"}, "cron '0 9, * * *': hour (nothing) is not a number from 0 to 23"),
        ({"cron": "mon 9 * * *"}, "cron 'mon 9 * * *': minute 'mon' is not a number from 0 to 59"),
        ({"cron": "0 9 * jam *"}, "cron '0 9 * jam *': 'jam' is not a month"),
        ({"cron": "0 22-6 * * *"}, "cron '0 22-6 * * *': the hour range 22-6 runs backwards"),
        ({"cron": "*/0 * * * *"}, "cron '*/0 * * * *': the minute step '0' is not a number from 1 to 59"),
        ({"cron": "*/90 * * * *"}, "cron '*/90 * * * *': the minute step '90' is not a number from 1 to 59"),
        ({"cron": "0 9 */45 * *"}, "cron '0 9 */45 * *': the day of the month step '45' is not a number from 1 to 30"),
        ({"cron": "*/90,1 * * * *"}, "cron '*/90,1 * * * *': the minute step '90' is not a number from 1 to 59"),
        ({"cron": "0 9 */0,1 * *"}, "cron '0 9 */0,1 * *': the day of the month step '0' is not a number from 1 to 30"),
        ({"cron": "*/ * * * *"}, "cron '*/ * * * *': the minute step '' is not a number from 1 to 59"),
        ({"cron": "5/15 * * * *"}, "cron '5/15 * * * *': '5/15' has a step but no range"),
        ({"cron": "@reboot"}, "cron '@reboot' is not known"),
        ({"cron": "0 0 31 2 *"}, "cron '0 0 31 2 *' never comes"),
        ({"cron": "0 0 31 4,6,sep,nov *"}, "cron '0 0 31 4,6,sep,nov *' never comes"),
        ({"cron": "0 0 30 2 */2"}, "cron '0 0 30 2 */2' never comes"),
    ],
)
def test_bad_value_is_refused_with_keyword_value_and_what_to_write(keywords: dict[str, object], reason: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_trigger(keywords, zone=BERLIN, name="examples.a")

    assert str(caught.value).startswith(reason)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("0 9 * * fry", "Did you mean fri? "),
        ("0 9 * octobre *", "Did you mean oct? "),
        ("@hurly", "Did you mean @hourly? "),
        ("0 22-6 * * *", "Write 22-23,0-6."),
        ("5/15 * * * *", "Write 5-59/15 or */15."),
    ],
)
def test_slip_in_a_cron_line_is_answered_with_what_was_meant(line: str, hint: str) -> None:
    with pytest.raises(BadValue) as caught:
        trigger_of(cron=line)

    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("time", "start", "zone", "more"),
    in_turn(
        [
            {"seconds": 1},
            {"days": 3653},
            {"days": 1, "at": "09:00"},
            {"cron": "0 0 29 2 *"},
            {"cron": "* * * * *"},
        ],
        ["1900-01-02T00:00", "4999-12-30T23:59"],
        ["UTC", "Asia/Tokyo", "Pacific/Honolulu"],
        [{}, {"jitter": "9d"}, {"end": "9999-12-31T12:00"}],
        rounds=6,
    ),
)
def test_dates_at_the_ends_of_what_is_allowed_have_slots(
    zone: str, start: str, time: dict[str, object], more: dict[str, object]
) -> None:
    trigger = parse_trigger({**time, "start": start, **more}, zone=ZoneInfo(zone), name="examples.a")

    assert trigger is not None
    slot = trigger.next_after(SEEN, SEEN)
    assert slot is not None
    assert trigger.passed(SEEN, slot, SEEN).last == slot
