from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted
from slack_alert.core.model.run import Action
from slack_alert.core.pack import Manifest, Pack
from slack_alert.core.rules.matching import RuleIndex
from slack_alert.core.rules.parameters import MissingParameters, parameters_of
from slack_alert.core.rules.rule import Rule
from slack_alert.core.rules.templates import MissingField, filled, parse_template
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import BERLIN, at, make_rule
from tests.unit.core.rules.test_operators import cases


def changed(**fields: object) -> Emitted:
    return Emitted("changed", at("16 12:00"), {"path": "/etc/a.conf", "size": 3, **fields})


BIG, ETC = {"size": "> 10"}, {"path": "/etc/*"}


@pytest.mark.parametrize(
    ("options", "matches"),
    [
        ({"any_of": (BIG, ETC)}, True),
        ({"any_of": (BIG, {"path": "/usr/*"})}, False),
        ({"any_of": (BIG,)}, False),
        ({"all_of": (ETC, {"size": 3})}, True),
        ({"all_of": (ETC, BIG)}, False),
        ({"none_of": BIG}, True),
        ({"none_of": ETC}, False),
        ({"none_of": {**ETC, **BIG}}, True),
        ({"none_of": {"user": "root"}}, True),
        ({"all_of": (ETC,), "any_of": (BIG, ETC), "none_of": BIG}, True),
        ({"within": WorkingHours.parse("mon-fri 9:00-18:00", BERLIN)}, True),
        ({"within": WorkingHours.parse("13:00-18:00", BERLIN)}, False),
    ],
)
def test_groups_of_criteria_hold_together(options: Mapping[str, Any], matches: bool) -> None:
    rule = Rule(("changed",), {}, **options)

    assert rule.matches(changed()) == matches
    assert all(found.holds for found in rule.findings(changed())) == matches


def test_criteria_on_an_event_without_fields_never_hold_and_their_reverse_does() -> None:
    empty = Emitted("changed", at("16 12:00"), {})

    assert not Rule(("changed",), {"path": {"nexists": True}}).matches(empty)
    assert Rule(("changed",), {}, none_of={"path": "/etc/*"}).matches(empty)


def test_ages_are_as_of_the_moment_at_which_it_is_judged() -> None:
    rule = Rule(("changed",), {"since": {"timediff_lt": 60}})
    event = changed(since="2026-11-16T10:59:30Z")

    assert rule.matches(event, at("16 12:00"))
    assert not rule.matches(event, at("16 12:01"))


def test_a_finding_tells_what_was_wanted_and_what_was_there() -> None:
    rule = Rule(("changed",), {"user": "root", "size": [">= 10", {"in": [1, 2]}]}, none_of=ETC)

    assert [(each.field, each.wanted, each.actual, each.holds) for each in rule.findings(changed())] == [
        ("user", '"root"', None, False),
        ("size", ">= 10 or in [1, 2]", "3", False),
        ("not", 'path "/etc/*"', None, False),
    ]


def rules(*declared: Mapping[str, Any]) -> RuleIndex[Any]:
    made = []
    for each in declared:
        job = make_rule(each["name"], on=each.get("on", "changed"))
        assert job.rule is not None
        where = {"size": 3} if each.get("holds", True) else {"size": 4}
        pack = each.get("pack")
        action = replace(job.action, pack=Pack(Manifest(pack), pack, pack) if pack else None)
        made.append(replace(job, action=action, rule=replace(job.rule, where=where, is_otherwise="otherwise" in each)))
    return RuleIndex(made)


@pytest.mark.parametrize("case", [case for case in cases("rule_flow") if "matches" in case and len(case["rules"]) > 1])
def test_otherwise_is_stackstorm_s_backstop(case: Mapping[str, Any]) -> None:
    declared = [
        {"name": rule["name"], "holds": rule["name"] in case["matches"], **({"otherwise": 1} if "type" in rule else {})}
        for rule in case["rules"]
        if rule.get("enabled") is not False
    ]

    assert [job.name for job in rules(*declared).matched(changed())] == case["runs"]


def test_otherwise_looks_at_the_rules_of_its_own_pack() -> None:
    index = rules(
        {"name": "a.one", "pack": "a"},
        {"name": "a.rest", "pack": "a", "otherwise": 1},
        {"name": "b.one", "pack": "b", "holds": False},
        {"name": "b.rest", "pack": "b", "otherwise": 1},
    )

    decided = {decision.rule: decision for _, decision in index.decide(changed())}
    assert [name for name, decision in decided.items() if decision.is_matched] == ["a.one", "b.rest"]
    assert decided["a.rest"].instead == "a.one"
    because = decided["b.one"].because
    assert because is not None
    assert (because.field, because.actual) == ("size", "3")


NAMES = st.text("ab.*?", min_size=1, max_size=5)


@given(st.lists(NAMES, max_size=6), st.text("ab.", min_size=1, max_size=5))
def test_the_index_finds_what_looking_at_each_rule_finds(patterns: list[str], name: str) -> None:
    jobs = [make_rule(f"rule.{number}", on=pattern) for number, pattern in enumerate(patterns)]

    wanted = [job.name for job in jobs if job.rule is not None and job.rule.matches_name(name)]
    assert [job.name for job in RuleIndex(jobs).named(name)] == wanted


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{event.path}", "/etc/a.conf"),
        ("{event.size}", 3),
        ("{path}:{size}", "/etc/a.conf:3"),
        ("{{x}} {event.host.name}", "{x} db1"),
        ("{event.list[0]}", "a"),
        (["{size}", 5], [3, 5]),
        ({"to": "{size}"}, {"to": 3}),
        ("plain", "plain"),
        (5, 5),
    ],
)
def test_a_template_takes_fields(template: object, value: object) -> None:
    event = changed(host={"name": "db1"}, list=["a"])

    assert filled(template, event.fields, "x") == value


@pytest.mark.parametrize("text", ["{", "{}", "{path!r}", "{path:>3}", "a}"])
def test_a_template_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_template(text)


def test_a_parameter_that_is_missing_is_named() -> None:
    action = Action(
        "f", "plugins/f.py", 1, parameters=("path", "user", "target"), required=("path", "user", "target"),
        params={"target": "{event.size}"},
    )  # fmt: skip

    with pytest.raises(MissingParameters, match="no field user"):
        parameters_of(action, changed().fields)
    with pytest.raises(MissingField, match="no field size, of which the parameter target is made"):
        parameters_of(action, {"path": "/", "user": "ann"})
    assert parameters_of(action, {**changed().fields, "user": "ann", "target": 9}) == {
        "path": "/etc/a.conf", "user": "ann", "target": 3,
    }  # fmt: skip


@pytest.mark.parametrize("written", ["3 per 10m", "3/10m", "3 in 600"])
def test_a_rate_is_so_many_in_a_time(written: str) -> None:
    assert Rate.parse(written) == Rate(3, timedelta(minutes=10))


@pytest.mark.parametrize("written", ["", "3", "per 10m", "0 per 10m", "3 per 0s", 3, "-1 per 10m", "3 per soon"])
def test_a_rate_that_means_nothing_is_refused(written: object) -> None:
    with pytest.raises(BadValue):
        Rate.parse(written)


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(1, 4), st.integers(1, 30))
def test_never_more_than_allowed_in_any_window(seconds: list[int], count: int, length: int) -> None:
    rate, begin = Rate(count, timedelta(seconds=length)), at("16 12:00")
    answered: tuple[datetime, ...] = ()
    admitted = []
    for moment in (begin + timedelta(seconds=each) for each in sorted(seconds)):
        if rate.until(answered, moment) is None:
            answered = (*rate.since(answered, moment), moment)
            admitted.append(moment)

    for moment in admitted:
        assert len([each for each in admitted if moment - rate.window < each <= moment]) <= count
