from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.content.measurements import LONGEST, MOST, measured


class Level(IntEnum):
    HIGH = 3


class Disk(NamedTuple):
    used: int
    free: float


@dataclass
class Queue:
    length: int
    secret: int = field(default=7, repr=False)


class Odd(float):
    """A numeric type that a plugin defines."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, {"": 3}),
        (0, {"": 0}),
        (-2.5, {"": -2.5}),
        (Decimal("1.5"), {"": 1.5}),
        (Fraction(1, 4), {"": 0.25}),
        (Level.HIGH, {"": 3}),
        (Odd(2.0), {"": 2.0}),
        (2**60, {"": 2.0**60}),
        ({"db1": 3, "db2": 0}, {"db1": 3, "db2": 0}),
        ({1: 2.0}, {"1": 2.0}),
        (Disk(3, 4.5), {"used": 3, "free": 4.5}),
        (Queue(3), {"length": 3}),
        ({"a": 1, "b": float("nan")}, {"a": 1}),
        ({"x" * 200: 1}, {"x" * LONGEST: 1}),
    ],
)
def test_a_number_is_measured_and_so_is_a_dict_of_numbers(value: object, expected: Mapping[str, float]) -> None:
    assert measured(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "3",
        [],
        [1, 2],
        {},
        {"a": 1, "b": "late"},
        {"a": True},
        {"a": {"b": 1}},
        {str(number): number for number in range(MOST + 1)},
        float("nan"),
        float("-inf"),
        10**400,
        Decimal("sNaN"),
        {"a": float("inf")},
        3j,
        object(),
        b"3",
    ],
)
def test_what_is_no_number_measures_nothing(value: object) -> None:
    assert measured(value) is None


@given(st.dictionaries(st.text(), st.integers() | st.floats() | st.decimals() | st.fractions()))
def test_what_is_kept_survives_json(value: dict[str, object]) -> None:
    kept = measured(value)

    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
