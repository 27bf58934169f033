"""A row of numbers as a row of bars, one character each."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
#: For a terminal that shows ASCII only.
ASCII_BARS = "_-~:=+*#"
#: Nothing is known there; no space, which tables shorten.
GAPS = {BARS: "·", ASCII_BARS: "."}


def sparkline(numbers: Sequence[float | None], *, bars: str = BARS, floor: float | None = None) -> str:
    """Draw the least (or `floor`, where that is less) as the lowest bar, the greatest as the highest, None as a gap.

    Where all are the same they are drawn low.
    """
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    least = min(known) if floor is None else min(floor, *known)
    gap = GAPS.get(bars, " ")
    return "".join(gap if number is None else bars[_height(number, least, max(known), len(bars))] for number in numbers)


def _height(number: float, least: float, most: float, bars: int) -> int:
    # Halved first: the span between great numbers would be infinite.
    span = most / 2 - least / 2
    return min(bars - 1, int((number / 2 - least / 2) / span * bars)) if span else 0
