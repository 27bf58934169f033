from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import NamedTuple

import pytest

from slack_alert.core.catalog import Catalog, match
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted, fields_of
from slack_alert.core.rules.criteria import check_criteria
from slack_alert.core.rules.rule import Rule
from tests.fakes.engine_rig import at, make_job, make_rule

NOON = at("16 12:00")


def disk(**fields: object) -> Emitted:
    return Emitted("disk.full", NOON, {"mount": "/var", "used": 91, "host": {"name": "db1"}, **fields})


@pytest.mark.parametrize(
    ("names", "is_wanted"),
    [
        (["disk.full"], True),
        (["disk.*"], True),
        (["*"], True),
        (["backup.done", "disk.full"], True),
        (["disk"], False),
        (["Disk.full"], False),
        (["backup.done"], False),
    ],
)
def test_an_event_is_wanted_by_its_name(names: list[str], is_wanted: bool) -> None:
    assert is_wanted == Rule(tuple(names), {}).matches(disk())


@pytest.mark.parametrize(
    ("where", "is_wanted"),
    [
        ({"mount": "/var"}, True),
        ({"mount": "/v*"}, True),
        ({"mount": ["/", "/var"]}, True),
        ({"mount": "!= /"}, True),
        ({"mount": "/"}, False),
        ({"used": 91}, True),
        ({"used": "91"}, True),
        ({"used": ">= 91"}, True),
        ({"used": "> 91"}, False),
        ({"used": "<100"}, True),
        ({"used": "== 91.0"}, True),
        ({"used": [10, ">90"]}, True),
        ({"mount": "/var", "used": "< 50"}, False),
        ({"host.name": "db?"}, True),
        ({"host.zone": "*"}, False),
        ({"user": None}, False),
        ({"user": "!= ann"}, False),
    ],
)
def test_every_criterion_must_hold(where: Mapping[str, object], is_wanted: bool) -> None:
    assert is_wanted == Rule(("disk.full",), where).matches(disk())


@pytest.mark.parametrize(
    ("criterion", "value", "is_wanted"), [(True, True, True), (True, 1, False), (1, True, False), (None, None, True)]
)
def test_a_truth_value_is_no_number(criterion: object, value: object, is_wanted: bool) -> None:
    assert is_wanted == Rule(("disk.full",), {"read_only": criterion}).matches(disk(read_only=value))


@pytest.mark.parametrize("size", ["error", "unknown", "", None, True, "nan", [1], "10", " 7 ", "-1", "Infinity"])
@pytest.mark.parametrize("criterion", ["> 0", ">= 0", "< 0", "<= 0"])
def test_what_is_no_number_is_neither_more_nor_less_than_one(criterion: str, size: object) -> None:
    assert not Rule(("disk.full",), {"size": criterion}).matches(disk(size=size))


@pytest.mark.parametrize("size", [10, 10.5, inf, Decimal("10.5"), 10**400])
def test_every_kind_of_number_is_compared_with_a_bound(size: object) -> None:
    assert Rule(("disk.full",), {"size": ["> 9.5"]}).matches(disk(size=size))
    assert not Rule(("disk.full",), {"size": ["<= 9.5"]}).matches(disk(size=size))


@pytest.mark.parametrize(("criterion", "is_wanted"), [("== 7", True), ("!= 7", False), ("== 7.0", False)])
def test_a_text_of_digits_is_compared_as_a_text(criterion: str, is_wanted: bool) -> None:
    assert is_wanted == Rule(("disk.full",), {"mount": criterion}).matches(disk(mount="7"))


@pytest.mark.parametrize(("criterion", "is_wanted"), [("!= 0", True), ("== 0", False), ("== error", True)])
def test_a_text_is_equal_to_no_number_and_may_be_another(criterion: str, is_wanted: bool) -> None:
    assert is_wanted == Rule(("disk.full",), {"size": criterion}).matches(disk(size="error"))


@pytest.mark.parametrize("criterion", [">", "> abc", "<=", ">= 2 GB", "< nan", ["ok", "<html"]])
def test_a_bound_that_is_no_number_is_refused(criterion: object) -> None:
    with pytest.raises(BadValue, match="compares with no number"):
        check_criteria({"size": criterion})


def test_a_text_that_begins_with_a_sign_is_written_as_a_pattern() -> None:
    assert Rule(("disk.full",), {"text": "[>]abc"}).matches(disk(text=">abc"))


def test_a_name_with_a_dot_is_found_before_a_path() -> None:
    assert Rule(("disk.full",), {"host.name": "db2"}).matches(disk(**{"host.name": "db2"}))


@pytest.mark.parametrize("where", [{"": 1}, {"a": {"b": 1}}, {"a": [1, [2]]}])
def test_criteria_that_mean_nothing_are_refused(where: Mapping[str, object]) -> None:
    with pytest.raises(BadValue):
        check_criteria(where)


@dataclass
class Disk:
    mount: str
    used: int


class Pair(NamedTuple):
    mount: str
    used: int


@pytest.mark.parametrize("value", [{"mount": "/", "used": 9}, Disk("/", 9), Pair("/", 9)])
def test_the_fields_of_an_event_are_those_of_the_record_that_was_noticed(value: object) -> None:
    assert fields_of(value) == {"mount": "/", "used": 9}


@pytest.mark.parametrize("value", ["/etc/passwd", 3.5, True])
def test_what_is_no_record_is_the_value(value: object) -> None:
    assert fields_of(value) == {"value": value}


def test_events_reach_the_jobs_that_want_them_in_the_order_of_the_files() -> None:
    first, last = make_rule("b.first", on="disk.*"), make_rule("a.last", on="disk.full")
    catalog = Catalog((make_job(), first, make_rule("c.other", on="backup.done"), last))

    assert match(catalog, disk()) == [first, last]
