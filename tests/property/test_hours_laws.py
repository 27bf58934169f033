from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.schedule.working_hours import WorkingHours

pytestmark = pytest.mark.slow

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Zones with an hour, half an hour, a skipped midnight, a skipped day, and none.
SHIFTS: tuple[tuple[str, datetime], ...] = (
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 29, tzinfo=UTC)),
)

# One window: days, first minute and last minute of the day; the last may be 24:00.
Window = tuple[frozenset[int], int, int]
windows = st.tuples(st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(0, 1440)).filter(
    lambda window: window[1] != window[2]
)


@st.composite
def moments(draw: st.DrawFn) -> tuple[tzinfo, datetime]:
    """Draw a zone and an instant within three days of one of its shifts."""
    zone, shift = draw(st.sampled_from(SHIFTS))
    distance = timedelta(days=3)
    return ZoneInfo(zone), shift + draw(st.timedeltas(min_value=-distance, max_value=distance))


@given(st.lists(windows, min_size=1, max_size=3), moments())
def test_openness_is_a_function_of_the_local_wall_time(parts: list[Window], moment: tuple[tzinfo, datetime]) -> None:
    zone, now = moment
    hours = WorkingHours.parse(written(parts), zone)

    assert any(holds(window, now.astimezone(zone)) for window in parts) == hours.contains(now)


@given(windows, moments())
def test_complement_is_open_when_the_hours_are_closed(window: Window, moment: tuple[tzinfo, datetime]) -> None:
    days, begin, end = window
    zone, now = moment
    rest: list[Window] = [(frozenset(range(7)) - days, begin, end)] if len(days) < 7 else []
    if end % 1440 != begin:
        rest.append((frozenset((day + (end <= begin or end == 1440)) % 7 for day in range(7)), end % 1440, begin))
    if not rest:
        return

    hours, complement = WorkingHours.parse(written([window]), zone), WorkingHours.parse(written(rest), zone)
    assert hours.contains(now) != complement.contains(now)


@given(st.lists(windows, min_size=1, max_size=3), moments())
def test_nothing_is_open_before_next_open(parts: list[Window], moment: tuple[tzinfo, datetime]) -> None:
    zone, now = moment
    hours = WorkingHours.parse(written(parts), zone)
    opens = hours.next_open(now)

    assert opens is not None
    assert hours.contains(opens)
    assert not any(hours.contains(instant) for instant in each_minute(now, opens))


@given(st.lists(windows, min_size=1, max_size=3), moments())
def test_next_change_is_where_openness_flips_and_nowhere_before(
    parts: list[Window], moment: tuple[tzinfo, datetime]
) -> None:
    zone, now = moment
    hours = WorkingHours.parse(written(parts), zone)
    change = hours.next_change(now)

    if change is None:
        assert hours.is_always
        return
    was_open = hours.contains(now)
    assert change > now
    assert hours.contains(change) != was_open
    assert hours.contains(change - timedelta(microseconds=1)) == was_open
    assert all(hours.contains(instant) == was_open for instant in each_minute(now, change))


def written(parts: list[Window]) -> str:
    return "; ".join(
        f"{','.join(DAYS[day] for day in sorted(days))} {begin // 60}:{begin % 60:02}-{end // 60}:{end % 60:02}"
        for days, begin, end in parts
    )


def holds(window: Window, wall: datetime) -> bool:
    """Return whether a wall time lies in a window, in the plainest way there is."""
    days, begin, end = window
    minute = wall.hour * 60 + wall.minute
    if begin < end:
        return wall.weekday() in days and begin <= minute < end
    return (wall.weekday() in days and minute >= begin) or ((wall.weekday() - 1) % 7 in days and minute < end)


def each_minute(begin: datetime, end: datetime) -> list[datetime]:
    return [begin + index * MINUTE for index in range(-(-(end - begin) // MINUTE))]
