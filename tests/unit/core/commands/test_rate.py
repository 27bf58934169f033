from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.rate import Rate

T = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def test_the_window_slides() -> None:
    rate = Rate(2)

    assert [rate.take(T + n * SECOND, "ann") for n in (0, 30, 59, 60, 61, 90)] == [True, True, False, True, False, True]


def test_people_do_not_share_it() -> None:
    rate = Rate(1)

    assert rate.take(T, "ann")
    assert rate.take(T, "bob")
    assert not rate.take(T, "ann")


def test_it_says_how_long_to_wait() -> None:
    rate = Rate(1)
    rate.take(T, "ann")

    assert rate.wait(T + 20 * SECOND, "ann") == 40 * SECOND
    assert rate.wait(T + MINUTE, "ann") == rate.wait(T, "bob") == timedelta()


def test_zero_is_no_limit() -> None:
    rate = Rate(0)

    assert all(rate.take(T, "ann") for _ in range(1000))
    assert rate.wait(T, "ann") == timedelta()


def test_a_clock_put_back_locks_nobody_out() -> None:
    rate = Rate(1)
    rate.take(T, "ann")

    assert rate.take(T - timedelta(hours=1), "ann")


def test_who_came_long_ago_is_forgotten() -> None:
    rate = Rate(1)
    for number in range(3000):
        rate.take(T + number * SECOND, f"U{number}")

    assert len(rate._taken) < 1100


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60), st.integers(1, 4))
def test_never_more_than_the_limit_within_any_window(seconds: list[int], limit: int) -> None:
    rate = Rate(limit)
    taken = [at for at in sorted(seconds) if rate.take(T + at * SECOND, "ann")]

    assert all(sum(begin <= at < begin + 60 for at in taken) <= limit for begin in range(201))
