"""Tables of tests: of all combinations, those that a usual run has."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import product
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def in_turn(*tables: Iterable[Any], rounds: int = 1) -> list[ParameterSet]:
    """Return all combinations of the values; a usual run has each value once a round or more, each time with others."""
    values: list[Collection[Any]] = [tuple(table) for table in tables]
    longest = max(map(len, values))
    usual = {
        tuple((number + shift * (number // longest)) % len(table) for shift, table in enumerate(values))
        for number in range(rounds * longest)
    }
    places = product(*(range(len(table)) for table in values))
    return [
        pytest.param(*row, marks=() if place in usual else pytest.mark.thorough)
        for place, row in zip(places, product(*values), strict=True)
    ]
