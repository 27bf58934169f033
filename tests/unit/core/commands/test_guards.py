from __future__ import annotations

import pytest

from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.commands.guards import changes_of, guarded, shown_to_guard
from slack_alert.core.commands.permission_checks import check_guards
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.run import Action, Arguments
from tests.fakes.rights import APP, ENV

FORCE = Parameter("force", ValueKind.FLAG, is_required=False, default="False")
HOSTS = Parameter("hosts", is_list=True, is_required=False)
PARAMETERS = (APP, ENV, FORCE, HOSTS)
GIVEN = {"app": "shop", "env": "prod"}


def test_none_lets_it_go_on_as_it_was() -> None:
    answer = guarded("freeze", PARAMETERS, GIVEN, None)

    assert (answer.arguments, answer.changed, answer.refusal) == (GIVEN, {}, "")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("No deploys today.", "No deploys today."),
        ("", "The guard freeze refuses this."),
        ("  \n", "The guard freeze refuses this."),
        (ValueError("secret"), "The guard freeze failed (ValueError), so this is refused."),
        (True, "The guard freeze returned bool, and not None, a text or a dict, so this is refused."),
        (False, "The guard freeze returned bool, and not None, a text or a dict, so this is refused."),
        (["a"], "The guard freeze returned list, and not None, a text or a dict, so this is refused."),
        (0, "The guard freeze returned int, and not None, a text or a dict, so this is refused."),
        ({"evn": "prod"}, "The guard freeze changes 'evn', which is no argument."),
        ({1: "prod"}, "The guard freeze changes 1, which is no argument."),
        ({"env": "production"}, "The guard freeze gives `env` a value it cannot have."),
        ({"env": "*"}, "The guard freeze gives `env` a value it cannot have."),
        ({"env": ["prod"]}, "The guard freeze gives `env` a value it cannot have."),
        ({"app": None}, "The guard freeze gives `app` a value it cannot have."),
        ({"app": object()}, "The guard freeze gives `app` a value it cannot have."),
        ({"hosts": "a"}, "The guard freeze gives `hosts` a value it cannot have."),
        ({"hosts": ["a", None]}, "The guard freeze gives `hosts` a value it cannot have."),
        ({"force": "perhaps"}, "The guard freeze gives `force` a value it cannot have."),
    ],
)
def test_everything_else_refuses_and_changes_nothing(returned: object, said: str) -> None:
    answer = guarded("freeze", PARAMETERS, GIVEN, returned)

    assert (answer.arguments, answer.changed, answer.refusal) == (GIVEN, {}, said)


@pytest.mark.parametrize(
    ("returned", "arguments", "changed"),
    [
        ({}, GIVEN, {}),
        ({"env": "prod"}, GIVEN, {}),
        ({"env": "staging"}, {"app": "shop", "env": "staging"}, {"env": ("prod", "staging")}),
        ({"env": None}, {"app": "shop"}, {"env": ("prod", None)}),
        ({"force": True}, {**GIVEN, "force": "yes"}, {"force": (None, "yes")}),
        ({"hosts": ["a", 1]}, {**GIVEN, "hosts": ("a", "1")}, {"hosts": (None, ("a", "1"))}),
    ],
)
def test_a_dict_changes_arguments_and_what_changed_is_told(
    returned: dict[str, object], arguments: dict[str, object], changed: dict[str, object]
) -> None:
    answer = guarded("freeze", PARAMETERS, GIVEN, returned)

    assert (answer.arguments, answer.changed, answer.refusal) == (arguments, changed, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("*",), []),
        (("deploy", "roll out"), []),
        (("Ops.Deploy",), []),
        (("deplyo",), ["guard: `deplyo` is not a command, so nothing asks rules.freeze for it"]),
        (("*", "roll"), ["guard: `roll` is not a command, so nothing asks rules.freeze for it"]),
    ],
)
def test_words_that_no_command_has_are_told(words: tuple[str, ...], said: list[str]) -> None:
    guard = Guard("rules.freeze", Action("rules.freeze", "plugins/rules.py", 7), words)
    command = Command("ops.deploy", Action("ops.deploy", "plugins/ops.py", 1), "deploy", ("roll out",))

    problems = check_guards([guard], [command])

    assert [(problem.message, problem.line, problem.code) for problem in problems] == [
        (one, 7, "SA215") for one in said
    ]


def test_a_guard_sees_defaults_as_the_function_does_and_not_those_that_only_python_knows() -> None:
    computed = Parameter("since", is_required=False, default="today()")
    rest = Parameter("rest", is_variadic=True, is_list=True, is_required=False)
    command = Command("d", Action("d", "d.py", 1), "d", parameters=(*PARAMETERS, computed, rest))

    shown = shown_to_guard(command, Arguments({"app": "shop"}, ("x",)))

    assert shown == {"app": "shop", "env": "staging", "force": False, "hosts": None, "rest": ["x"]}
    assert changes_of({**shown, "force": 0}, shown) == {"force": 0}
    assert changes_of("no", shown) == "no"
