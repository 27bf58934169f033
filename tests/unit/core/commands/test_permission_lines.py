from __future__ import annotations

import pytest

from slack_alert.core.catalog import Severity
from slack_alert.core.commands.permission_checks import check
from slack_alert.core.commands.permission_lines import Condition, Place, parse_asked, parse_line
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.errors import BadValue
from tests.fakes.rights import APP, ENV, command, permissions


@pytest.mark.parametrize(
    ("text", "words", "conditions"),
    [
        ("deploy", "deploy", ()),
        ("pr  merge", "pr merge", ()),
        ("/Deploy env:prod", "deploy", (("env", "prod"),)),
        ("deploy dry-run:yes app:shop*", "deploy", (("dry_run", "yes"), ("app", "shop*"))),
        ("./deploy.sh", "./deploy.sh", ()),
        ('deploy city:"New York"', "deploy", (("city", "New York"),)),
        ("deploy at:18:00", "deploy", (("at", "18:00"),)),
        (r"deploy path:C:\x", "deploy", (("path", r"C:\x"),)),
    ],
)
def test_the_left_side_is_words_and_arguments(text: str, words: str, conditions: tuple[tuple[str, str], ...]) -> None:
    assert parse_asked(text) == (words, tuple(Condition(*each) for each in conditions))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("env:prod", "does not begin with the words of a command"),
        ("", "does not begin with the words of a command"),
        ("deploy env:prod now", "does not begin with the words of a command"),
        ("deploy env:", "is not an argument with a value"),
        ("deploy :prod", "is not an argument with a value"),
        ("deploy 1a:prod", "is not an argument with a value"),
        ("deploy env:'prod", "has a quote that is not closed"),
    ],
)
def test_a_left_side_that_says_nothing_is_told(text: str, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        parse_asked(text)


def test_the_right_side_is_roles_and_channels() -> None:
    line = parse_line("cancel", "ops, U1  in  #ops, C0123 dingtalk:#group", file="x.conf", line=7)

    assert [member.shown for member in line.roles] == ["ops", "U1"]
    assert line.places == (Place("slack", "#ops"), Place("slack", "C0123"), Place("dingtalk", "#group"))
    assert [place.shown for place in line.places] == ["#ops", "C0123", "dingtalk:#group"]
    assert (line.shown, line.where) == ("cancel = ops, U1  in  #ops, C0123 dingtalk:#group", "x.conf:7")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "nobody is named"),
        ("in #ops", "nobody is named"),
        ("ops in", "names no channel"),
        ("ops in ,", "names no channel"),
        ("ops in @ann", "is a person"),
        ("ops in #a b!", "is not one channel"),
        ("#ops", "is neither an id nor a role"),
        ("@ann", "is a name"),
    ],
)
def test_a_right_side_that_says_nothing_is_told(value: str, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        parse_line("cancel", value)


@pytest.mark.parametrize(
    ("line", "code", "said", "hint"),
    [
        ("deplyo", "SA301", "`deplyo` is not a command, so this line grants nothing", "Did you mean deploy?"),
        ("deploy prod", "SA301", "`deploy prod` is not a command", "Did you mean deploy?"),
        ("deploy evn:prod", "SA302", "no argument `evn`, so this line grants nothing", "Did you mean env?"),
        ("deploy env:prdo", "SA303", "`prdo` is no value of `env`", "Did you mean prod?"),
        ("deploy env:q*", "SA303", "`q*` is no value of `env`", "Allowed: staging, prod."),
        ("deploy force:perhaps", "SA303", "`perhaps` is no value of `force`", "Allowed: yes, no."),
        ("deploy count:many", "SA303", "`many` is no whole number", "Correct the value, or write a glob such as *."),
        ("ship env:prdo", "SA303", "nothing, and `deploy` is for admins only", "Did you mean prod?"),
    ],
)  # fmt: skip
def test_a_line_that_grants_nothing_is_a_problem_with_its_place(line: str, code: str, said: str, hint: str) -> None:
    force, count = Parameter("force", ValueKind.FLAG), Parameter("count", ValueKind.WHOLE)
    deploy = command("deploy", APP, ENV, force, count, aliases=("ship",))

    (problem,) = check(permissions({"jobs": "members", line: "members"}), [deploy, command("jobs")])

    assert (problem.file, problem.line, problem.severity) == ("slack_alert.conf", 2, Severity.ERROR)
    assert (problem.code, problem.hint) == (code, hint)
    assert said in problem.message


@pytest.mark.parametrize(
    "line",
    ["deploy", "ship", "app.deploy", "deploy env:prod", "deploy env:*", "deploy env:pr?d", "deploy force:true",
     "deploy force:y*", "deploy count:05", "deploy count:1*", "deploy app:anything"],
)  # fmt: skip
def test_a_line_that_can_match_is_no_problem(line: str) -> None:
    force, count = Parameter("force", ValueKind.FLAG), Parameter("count", ValueKind.WHOLE)

    assert check(permissions({line: "members"}), [command("deploy", APP, ENV, force, count, aliases=("ship",))]) == []


def test_a_line_that_names_several_commands_is_a_warning() -> None:
    """An alias of one may be the words of another, and the line is about both."""
    commands = [command("status", is_reading=True), command("deploy", aliases=("status",))]

    (problem,) = check(permissions({"status": "members"}), commands)

    assert (problem.code, problem.severity) == ("SA305", Severity.WARNING)
    assert problem.message.endswith("about each: app.status, app.deploy")


@pytest.mark.parametrize(
    ("allow", "said", "hint"),
    [
        ("opps", "there is no role `opps`", "Did you mean ops?"),
        ("@ops", "is a name", "Write the id"),
        ("zzz", "there is no role `zzz`", "Roles: ops, members, admins, nobody."),
    ],
)
def test_a_marker_with_a_role_that_is_not_there_is_a_problem(allow: str, said: str, hint: str) -> None:
    (problem,) = check(permissions(roles={"ops": "U1"}), [command("deploy", allow=("ops", allow))])

    assert (problem.code, problem.file, problem.line) == ("SA304", "plugins/app.py", 3)
    assert said in problem.message
    assert hint in problem.hint


def test_without_commands_a_line_is_told_so() -> None:
    (problem,) = check(permissions({"deploy": "members"}), [])

    assert problem.hint == "There are no commands."
