from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.units.allowance import Allowance


def test_what_is_left_is_used_and_comes_back_with_time() -> None:
    allowance = Allowance(10, 2)

    assert [allowance.use(8, 0), allowance.use(8, 0), allowance.use(8, 1), allowance.use(99, 100)] == [8, 2, 2, 10]


def test_a_wait_is_as_long_as_what_is_missing_takes() -> None:
    allowance = Allowance(1, 2)

    assert [allowance.wait(1, seconds) for seconds in (0, 0, 0, 1)] == [0, 0.5, 1, 0.5]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 10)), max_size=50))
def test_no_more_is_used_than_the_burst_and_what_came_since(uses: list[tuple[float, float]]) -> None:
    allowance, now, used = Allowance(20, 3), 0.0, 0.0
    for amount, passed in uses:
        now += passed
        used += allowance.use(amount, now)
        assert used <= 20 + 3 * now + 1e-6
