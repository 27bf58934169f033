from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.report.layout import ASCII_BARS, BARS, sparkline

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], ""),
        ([None, None], ""),
        ([7], "▁"),
        ([3, 3, 3], "▁▁▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], BARS),
        ([7, None, 0], "█·▁"),
        ([None, 1, None], "·▁·"),
        ([-1, 0, 1], "▁▅█"),
    ],
)
def test_numbers_are_drawn_between_the_least_and_the_greatest(numbers: list[float | None], expected: str) -> None:
    assert sparkline(numbers) == expected


def test_with_a_floor_what_hardly_changes_is_drawn_flat() -> None:
    assert sparkline([98, 100, 99], floor=0) == "███"
    assert sparkline([98, 100, 99]) == "▁█▅"


def test_a_floor_above_the_least_is_none() -> None:
    assert sparkline([-7, 0], floor=0) == "▁█"


def test_ascii_bars_take_the_place_of_the_others() -> None:
    assert sparkline([0, 1, None, 2, 3, 4, 5, 6, 7], bars=ASCII_BARS) == f"{ASCII_BARS[:2]}.{ASCII_BARS[2:]}"


@given(st.lists(NUMBERS | st.none(), min_size=1))
def test_every_number_has_its_bar_and_a_greater_one_never_a_lower(numbers: list[float | None]) -> None:
    drawn = sparkline(numbers)
    if not drawn:
        assert all(number is None for number in numbers)
        return
    heights = [(number, BARS.index(bar)) for number, bar in zip(numbers, drawn, strict=True) if number is not None]

    assert [bar == "·" for bar in drawn] == [number is None for number in numbers]
    assert [height for _, height in sorted(heights)] == sorted(height for _, height in heights)
