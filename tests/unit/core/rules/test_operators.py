"""The operators by name, held to what StackStorm's own functions answered: `fixtures/README.md`."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.rules.criteria import check_criteria, findings, hold
from slack_alert.core.rules.operators import OPERATORS, SEARCH, compare, operator_name

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
Case = dict[str, Any]  # Any: as JSON has it


def cases(name: str) -> list[Case]:
    text = (Path(__file__).parent / "fixtures" / f"{name}.json").read_text(encoding="utf-8")
    found: list[Case] = json.loads(text)["cases"]
    return found


@pytest.mark.parametrize("case", cases("operators"), ids=lambda case: f"{case['op']}: {case['why']}")
def test_an_operator_holds_where_it_does_in_stackstorm(case: Case) -> None:
    found = compare(operator_name(case["op"]), case["value"], case["pattern"], NOW)

    assert (found.holds, bool(found.fault)) == (case["holds"], bool(case.get("raises")))


#: What the templates of the cases are rendered to: templates are StackStorm's, and not of rules here.
TEMPLATES = {
    "{{trigger.int}}": 1,
    "{{trigger.float}}": 0.8,
    "{{trigger.list}}": ["v1", True, 1],
    "pre{{ st2kv.system.mid }}post": "preYYYpost",
    "{{'%s' % trigger.p1 if trigger.int}}": "v1",
    "{{ st2kv.system.a.b }}": "v1",
    "{{ st2kv.system.n }}": "1",
    "{{ 'V1' | lower }}": "v1",
}


def translated(criterion: Case, stored: dict[str, str]) -> Case:
    """Return one of StackStorm's criteria as operators."""
    if criterion["type"] == SEARCH:
        inner = {path: translated(each, stored) for path, each in criterion["pattern"].items()}
        return {SEARCH: inner, "condition": criterion["condition"]}
    pattern = criterion.get("pattern")
    if pattern == "{{ st2kv.system.want }}":
        pattern = stored["want"]
    return {criterion["type"]: TEMPLATES.get(pattern, pattern) if isinstance(pattern, str) else pattern}


@pytest.mark.parametrize("case", cases("criteria"), ids=lambda case: case["why"])
def test_criteria_hold_where_stackstorm_documents_it(case: Case) -> None:
    criteria = {path: translated(each, case["kv"]) for path, each in case["criteria"].items()}
    fields = {"trigger": case["payload"]} if case["payload"] else {}

    assert hold(criteria, fields, NOW) == case["matches"]
    stops = next((each for each in findings(criteria, fields, NOW) if not each.holds), None)
    assert (stops is None) == case["matches"]
    if stops is not None and "actual" in case["because"] and "null" not in case["because"]:
        assert f"{stops.field}: actual {stops.actual}" == case["because"]


def test_there_are_twenty_four_operators() -> None:
    assert len(set(OPERATORS)) == 24


@pytest.mark.parametrize(
    ("criterion", "hint"),
    [
        ({"endwith": ".conf"}, "endswith"),
        ({"greater": 1}, "greaterthan"),
        ({"matches": 1}, "Allowed|matchregex|matchwildcard"),
        ({"exists": False}, "nexists"),
        ({"equals": None}, "nexists"),
        ({"regex": "("}, "before its signs"),
        ({"startswith": 5}, "quotes"),
        ({"timediff_lt": "soon"}, "60"),
        ({"search": {"item": 1}}, "any"),
        ({"search": {"item": 1}, "condition": "alll"}, "all"),
        ({"search": 5, "condition": "all"}, "item.size"),
        ({"search": {"item": {"eqals": 5}}, "condition": "all"}, "equals"),
        ({"condition": "all"}, "contains|Allowed"),
        ([{"endswith": ".conf"}, {"endwith": ".conf"}], "endswith"),
    ],
)
def test_an_operator_that_can_mean_nothing_is_refused_with_the_nearest_word(criterion: object, hint: str) -> None:
    with pytest.raises(BadValue) as raised:
        check_criteria({"size": criterion})

    assert re.search(hint, raised.value.hint), raised.value.hint


@pytest.mark.parametrize(
    ("criterion", "size", "holds"),
    [
        ({"greaterthan": 10, "lessthan": 20}, 15, True),
        ({"greaterthan": 10, "lessthan": 20}, 25, False),
        ([{"greaterthan": 10, "lessthan": 20}, {"equals": 1}], 1, True),
        ([{"greaterthan": 10}, "< 3"], 2, True),
        ([{"greaterthan": 10}, "< 3"], 5, False),
    ],
)
def test_several_operators_must_all_hold_and_of_a_list_any(criterion: object, size: int, holds: bool) -> None:
    assert hold({"size": criterion}, {"size": size}, NOW) == holds


def test_a_comparison_that_fails_says_what_was_compared() -> None:
    (found,) = findings({"size": {"startswith": "1"}}, {"size": 12}, NOW)

    assert (found.holds, found.fault) == (False, "startswith cannot compare a number with a text")
    assert (found.wanted, found.actual) == ('startswith "1"', "12")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([name for name in OPERATORS if name != SEARCH]), VALUES, VALUES)
def test_no_payload_makes_an_operator_raise(operator: str, value: object, pattern: object) -> None:
    found = compare(operator, value, pattern, NOW)

    assert not (found.holds and found.fault)
    assert hold({"a": {operator: pattern}}, {"a": value}, NOW) == found.holds


@given(VALUES, VALUES)
def test_the_reverse_of_an_operator_holds_where_it_does_not(value: object, pattern: object) -> None:
    for operator, reverse in [("contains", "ncontains"), ("inside", "ninside"), ("exists", "nexists")]:
        both = compare(operator, value, pattern, NOW), compare(reverse, value, pattern, NOW)
        is_judged = not any(each.fault for each in both) and (pattern is not None or operator == "exists")
        assert not is_judged or both[0].holds != both[1].holds
