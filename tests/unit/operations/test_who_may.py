from __future__ import annotations

import io
import json

import pytest

from slack_alert.cli.query.who_may import who_may_json, who_may_table
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import replace
from slack_alert.operations.who_may import who_may
from slack_alert.settings import Settings
from tests.fakes.machine import Machine
from tests.fakes.rights import APP, ENV, command, permissions

DEPLOY = command("deploy", APP, ENV, aliases=("ship",))
GIVEN = permissions(
    {"deploy": "ops", "deploy env:prod": "release in #ops", "deploy app:bank": "nobody"},
    roles={"ops": "U1, U2, S7", "release": "dingtalk:0123, U3, U1", "host": "github:bob"},
    admins="U4",
    people=[("slack:U2", "github:ann", "dingtalk:0123")],
    cli_role="ops",
)


def answers(text: str) -> dict[str, str]:
    found = who_may(GIVEN, [DEPLOY], text)
    return {line.who: f"in {' '.join(line.places)}" if line.places else str(line.may) for line in found.lines}


def test_everybody_who_is_named_is_told_whether_he_may() -> None:
    assert answers("deploy env:prod app:shop") == {
        "U2 (github:ann, dingtalk:0123)": "in #ops",
        "U1": "in #ops",
        "U3": "False",
        "U4": "True",
        "S7": "False",
        "any other member": "False",
        "a guest": "False",
        "the terminal": "False",
    }


def test_a_missing_argument_has_its_default() -> None:
    assert {who for who, may in answers("ship app:shop").items() if may == "True"} == {
        "U1", "U2 (github:ann, dingtalk:0123)", "U4", "S7", "the terminal",
    }  # fmt: skip


def test_what_is_for_nobody_is_for_no_admin() -> None:
    assert set(answers("deploy app:bank").values()) == {"False"}


def test_the_rules_are_told_as_they_are_written() -> None:
    found = who_may(GIVEN, [DEPLOY], "deploy env:prod app:shop")

    assert found.rules == (
        "deploy = ops (slack_alert.conf:1)",
        "deploy env:prod = release in #ops (slack_alert.conf:2)",
    )
    assert {line.who: line.refused_by for line in found.lines}["U3"] == ("deploy = ops (slack_alert.conf:1)",)
    assert {line.who: line.refused_by for line in found.lines}["a guest"] == ("may_use = members", *found.rules)


def test_where_nothing_is_configured_that_is_told() -> None:
    found = who_may(permissions(), [DEPLOY], "deploy")

    assert found.rules == ("nothing says who may: admins",)
    assert {line.who: line.may for line in found.lines} == {
        "any other member": False, "a guest": False, "the terminal": True,
    }  # fmt: skip


def test_items_of_lists_can_be_asked_about() -> None:
    many = command("deploy", Parameter("apps", is_list=True))

    found = who_may(permissions({"deploy apps:shop": "U1"}), [many], "deploy apps:shop")

    assert [line.who for line in found.lines if line.may] == ["U1", "the terminal"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deplyo", "There is no command `deplyo`. | Did you mean deploy?"),
        ("", "'' does not begin with the words of a command | Write the words, then the arguments."),
        ("deploy evn:prod", "`deploy` has no argument `evn`. | Did you mean env?"),
        ("deploy env:prdo", "`prdo` is no value of `env`. | Did you mean prod?"),
        ("deploy env:pr*", "`pr*` is a glob. | Ask about a value: the one that somebody types."),
        ("deploy", "It depends on `app`, which is not said. | Write deploy app:VALUE."),
    ],
)
def test_what_asks_for_nothing_is_told(text: str, said: str) -> None:
    with pytest.raises(BadValue) as raised:
        who_may(GIVEN, [DEPLOY], text)

    assert f"{raised.value} | {raised.value.hint}" == said


@pytest.fixture
def settings(machine: Machine) -> Settings:
    return replace(machine.load().settings, rights=GIVEN)


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    return Machine(folder, folder)


def test_people_get_a_table(settings: Settings) -> None:
    given = replace(settings, rights=permissions({"deploy": "ops in #ops"}, roles={"ops": "U1"}, admins="U4"))

    assert who_may_table(given, Catalog((DEPLOY,)), "deploy", io.StringIO()).splitlines() == [
        "This rule must hold:",
        "  deploy = ops in #ops (slack_alert.conf:1)",
        "",
        "WHO               MAY      ROLES            REFUSED BY",
        "U1                in #ops  ops, members",
        "U4                yes      admins, members",
        "any other member  no       members          deploy = ops in #ops (slack_alert.conf:1)",
        "a guest           no                        may_use = members; deploy = ops in #ops (slack_alert.conf:1)",
        "the terminal      yes      admins",
    ]


def test_programs_get_json(settings: Settings) -> None:
    found = json.loads(json.dumps(who_may_json(settings, Catalog((DEPLOY,)), "deploy env:prod app:shop")))

    assert (found["command"], found["params"]) == ("deploy", {"env": "prod", "app": "shop"})
    assert found["who"][1] == {
        "who": "U1", "roles": ["ops", "release", "members"], "may": True, "in": ["#ops"], "refused_by": [],
    }  # fmt: skip
