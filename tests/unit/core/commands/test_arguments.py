from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.commands.arguments import canonical, masked, parse_arguments, to_fill_in, usage
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.commands.words import split_line
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action, Arguments
from slack_alert.core.structs import to_json

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)

ENV = Parameter("env", ValueKind.CHOICE, ("staging", "prod"), is_required=False, default="'staging'")
DEPLOY = (Parameter("app"), ENV, Parameter("version", is_required=False))
FORCE = Parameter("dry_run", ValueKind.FLAG, is_required=False, default="False")
REST = Parameter("rest", is_list=True, is_variadic=True, is_required=False)


def parsed(line: str, *parameters: Parameter) -> Arguments:
    return parse_arguments(split_line(line), parameters, zone=BERLIN, now=NOW)


def refused(line: str, *parameters: Parameter) -> tuple[str, str]:
    with pytest.raises(BadValue) as raised:
        parsed(line, *parameters)
    return str(raised.value), raised.value.hint


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("shop", {"app": "shop"}),
        ("shop prod", {"app": "shop", "env": "prod"}),
        ("shop PROD 1.4.2", {"app": "shop", "env": "prod", "version": "1.4.2"}),
        ("--app shop env=prod", {"app": "shop", "env": "prod"}),
        ("--app=shop --Env=prod", {"app": "shop", "env": "prod"}),
        ("prod app=shop", {"app": "shop", "env": "prod"}),
        ("prod 1 —app shop", {"app": "shop", "env": "prod", "version": "1"}),
        ("shop version=", {"app": "shop", "version": ""}),
        ("shop version=a=b", {"app": "shop", "version": "a=b"}),
        ("url=x", {"app": "url=x"}),
        ('"env=prod"', {"app": "env=prod"}),
        ("-- env=prod", {"app": "env=prod"}),
        ("-- shop -- --", None),
        ('"my shop" prod', {"app": "my shop", "env": "prod"}),
        ("<@U123|ann>", {"app": "U123"}),
        ("ｓｈｏｐ　ｅｎｖ＝ｐｒｏｄ", {"app": "shop", "env": "prod"}),
    ],
)
def test_words_are_taken_in_order_and_by_name(line: str, values: dict[str, object] | None) -> None:
    if values is None:
        assert refused(line, *DEPLOY)[0] == "env: '--' is not allowed."
    else:
        assert parsed(line, *DEPLOY) == Arguments(values)
        assert list(parsed(line, *DEPLOY).values) == [one.name for one in DEPLOY if one.name in values]


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("", "app is missing.", ""),
        ("env=prod", "app is missing.", ""),
        ("shop porsd", "env: 'porsd' is not allowed.", "Did you mean prod? Allowed: staging, prod."),
        ("shop qa", "env: 'qa' is not allowed.", "Allowed: staging, prod."),
        ("shop prod 1 2", "There is one word too many: 2.", "Put a text of several words in quotes."),
        ("shop prod 1 2 3", "There are 2 words too many: 2 3.", "Put a text of several words in quotes."),
        ("shop env=prod env=staging", "env is given twice.", "Keep one of the two."),
        ("shop --env prod --env=prod", "env is given twice.", "Keep one of the two."),
        ("shop --env", "--env needs a value.", "Allowed for env: staging, prod."),
        ("--app --env prod", "--app needs a value.", ""),
        ("shop --evn prod", "There is no option --evn.", "Did you mean --env?"),
        ("shop --xyz", "There is no option --xyz.", "Allowed: --app, --env, --version."),
        ("shop -x", "There is no option -x.", "Allowed: --app, --env, --version."),
        ("shop --no-env", "There is no option --no-env.", "Did you mean --env?"),
        ('"-x"', "app: '-x' begins with -.", "Write it without: a program could take it for an option."),
        ("-- -x", "app: '-x' begins with -.", "Write it without: a program could take it for an option."),
        ("app=-x", "app: '-x' begins with -.", "Write it without: a program could take it for an option."),
        ("--app=--rm", "app: '--rm' begins with -.", "Write it without: a program could take it for an option."),
        ('`a b` "--" -5', "env: '--' is not allowed.", "Allowed: staging, prod."),
        ("-5", "app: '-5' begins with -.", "Write it without: a program could take it for an option."),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(line: str, said: str, hint: str) -> None:
    assert refused(line, *DEPLOY) == (said, hint)


def test_everything_that_is_missing_is_said_at_once() -> None:
    assert refused("", Parameter("a"), Parameter("b", is_named=True), ENV)[0] == "a and b are missing."
    assert refused("", Parameter("a", is_named=True)) == ("a is missing.", "Write --a A after it.")


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (ValueKind.TEXT, "3", "3"),
        (ValueKind.WHOLE, "3", 3),
        (ValueKind.WHOLE, "-3", -3),
        (ValueKind.WHOLE, "−3", -3),
        (ValueKind.WHOLE, "+3", 3),
        (ValueKind.WHOLE, "１２", 12),
        (ValueKind.WHOLE, "9223372036854775807", 2**63 - 1),
        (ValueKind.NUMBER, "3", 3.0),
        (ValueKind.NUMBER, "-2.5e3", -2500.0),
        (ValueKind.NUMBER, ".5", 0.5),
        *[(ValueKind.FLAG, word, True) for word in ("yes", "Y", "on", "true", "1", "TRUE")],
        *[(ValueKind.FLAG, word, False) for word in ("no", "n", "Off", "false", "0")],
        (ValueKind.DATETIME, "2026-12-24T09:00", datetime(2026, 12, 24, 9, tzinfo=BERLIN)),
        (ValueKind.DATETIME, "2026-12-24 09:00", datetime(2026, 12, 24, 9, tzinfo=BERLIN)),
        (ValueKind.DATETIME, "2026-12-24", datetime(2026, 12, 24, tzinfo=BERLIN)),
        (ValueKind.DATETIME, "14:30", datetime(2026, 12, 1, 14, 30, tzinfo=BERLIN)),
        (ValueKind.DATETIME, "tomorrow 9:00", datetime(2026, 12, 2, 9, tzinfo=BERLIN)),
        (ValueKind.DATETIME, '"tomorrow 9:00"', datetime(2026, 12, 2, 9, tzinfo=BERLIN)),
        (ValueKind.DATETIME, "2026-12-24T09:00Z", datetime(2026, 12, 24, 10, tzinfo=BERLIN)),
        (ValueKind.DATE, "2026-12-24", date(2026, 12, 24)),
        (ValueKind.DATE, "Tomorrow", date(2026, 12, 2)),
        (ValueKind.DURATION, "1h30m", timedelta(minutes=90)),
        (ValueKind.DURATION, "90", timedelta(seconds=90)),
        (ValueKind.PATH, "logs/today.txt", Path("logs/today.txt")),
        (ValueKind.PATH, "/var/log", Path("/var/log")),
        (ValueKind.PATH, "a..b/...", Path("a..b/...")),
    ],
)
@pytest.mark.parametrize("form", ["{}", "--p {}", "p={}"])
def test_words_become_values(kind: ValueKind, written: str, value: object, form: str) -> None:
    if form == "--p {}" and kind is ValueKind.FLAG:
        form = "--p={}"

    found = parsed(form.format(written), Parameter("p", kind)).values["p"]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        (ValueKind.WHOLE, "three", "'three' is not a whole number"),
        (ValueKind.WHOLE, "3.5", "'3.5' is not a whole number"),
        (ValueKind.WHOLE, "1_000", "'1_000' is not a whole number"),
        (ValueKind.WHOLE, "٣", "'٣' is not a whole number"),
        (ValueKind.WHOLE, "9223372036854775808", "'9223372036854775808' is too large"),
        (ValueKind.WHOLE, "9" * 5000, "'…' is too large"),
        (ValueKind.NUMBER, "nan", "'nan' is not a number"),
        (ValueKind.NUMBER, "inf", "'inf' is not a number"),
        (ValueKind.NUMBER, "1e999", "'1e999' is not a number"),
        (ValueKind.FLAG, "maybe", "'maybe' is neither yes nor no"),
        (ValueKind.DATETIME, "soon", "'soon' is not a date and time"),
        (ValueKind.DATETIME, "25:00", "'25:00' is not a time of day"),
        (ValueKind.DATE, "24.12.2026", "'24.12.2026' is not a day"),
        (ValueKind.DURATION, "soon", "'soon' is not a duration"),
        (ValueKind.PATH, "../x", "'../x' leads out of its folder"),
        (ValueKind.PATH, "a/../../x", "'a/../../x' leads out of its folder"),
        (ValueKind.PATH, r"a\..\x", r"'a\\..\\x' leads out of its folder"),
        (ValueKind.PATH, "..", "'..' leads out of its folder"),
        (ValueKind.PATH, '""', "the path is empty"),
        (ValueKind.PATH, '"-rf"', "'-rf' begins with -"),
    ],
)
def test_words_that_cannot_become_a_value_are_said_without_a_traceback(
    kind: ValueKind, written: str, said: str
) -> None:
    found, hint = refused(f"p={written}", Parameter("p", kind))

    assert found == f"p: {said}."
    assert hint


@pytest.mark.parametrize(
    ("line", "value"),
    [("--dry-run", True), ("--dry_run", True), ("--DRY-RUN", True), ("--no-dry-run", False), ("dry_run=no", False),
     ("dry-run=yes", True), ("—dry-run", True), ("yes", True), ("--dry-run=off", False)],
)  # fmt: skip
def test_yes_and_no_have_options(line: str, value: bool) -> None:
    assert parsed(line, FORCE).values == {"dry_run": value}


def test_an_option_for_yes_takes_no_word() -> None:
    assert parsed("--dry-run shop", Parameter("app"), FORCE).values == {"app": "shop", "dry_run": True}


@pytest.mark.parametrize(
    ("line", "parameters", "values", "rest"),
    [
        ("a b c", [Parameter("x", is_list=True)], {"x": ["a", "b", "c"]}, ()),
        ("a,b，c", [Parameter("x", is_list=True)], {"x": ["a", "b", "c"]}, ()),
        ('"a,b" c', [Parameter("x", is_list=True)], {"x": ["a,b", "c"]}, ()),
        ("--x a --x b,c", [Parameter("x", is_list=True)], {"x": ["a", "b", "c"]}, ()),
        ("a b prod", [Parameter("x", is_list=True), Parameter("e")], {"x": ["a", "b"], "e": "prod"}, ()),
        ("1,-2 3", [Parameter("x", ValueKind.WHOLE, is_list=True)], {"x": [1, -2, 3]}, ()),
        ("a b c", [Parameter("x"), REST], {"x": "a"}, ("b", "c")),
        ("b x=a c", [Parameter("x"), REST], {"x": "a"}, ("b", "c")),
        ("a b,c d", [Parameter("x", is_list=True), REST], {"x": ["a"]}, ("b,c", "d")),
        ("a", [Parameter("x"), REST], {"x": "a"}, ()),
        ("y 2026-12-24 9:00 x", [Parameter("a"), Parameter("t", ValueKind.DATETIME), Parameter("b")],
         {"a": "y", "t": datetime(2026, 12, 24, 9, tzinfo=BERLIN), "b": "x"}, ()),
    ],
)  # fmt: skip
def test_lists_and_the_rest_take_several_words(
    line: str, parameters: list[Parameter], values: dict[str, object], rest: tuple[object, ...]
) -> None:
    assert parsed(line, *parameters) == Arguments(values, rest)


def test_a_parameter_that_takes_dashes_gets_what_looks_like_an_option_and_is_none() -> None:
    dashes = Parameter("args", is_list=True, is_variadic=True, is_required=False, takes_dash=True)

    assert parsed("log --oneline -5 -- --app", Parameter("app"), dashes).rest == ("--oneline", "-5", "--app")
    assert parsed("-x", Parameter("a", takes_dash=True)).values == {"a": "-x"}
    assert refused("log -x", Parameter("app"), REST) == ("There is no option -x.", "Allowed: --app.")


def test_a_choice_keeps_the_type_that_python_wrote_and_an_enum_its_class() -> None:
    mixed = Parameter("p", ValueKind.CHOICE, (1, True, "a"))
    enum = Parameter("p", ValueKind.CHOICE, ("STAGING", "PROD"), enum="Env")

    assert [parsed(word, mixed).values["p"] for word in ("1", "true", "A")] == [1, True, "a"]
    assert parsed("prod", enum) == Arguments({"p": "PROD"}, (), {"p": "Env"})


SECRET = "hunter2-xyz"


@pytest.mark.parametrize("kind", list(ValueKind))
@pytest.mark.parametrize(
    "form", ["{}", "token={}", "--token={}", "-{}", '"-{}"', "x {} {}", "token={} token={}", "'{}"]
)
def test_no_error_shows_a_secret(kind: ValueKind, form: str) -> None:
    choices = ("a", "b") if kind is ValueKind.CHOICE else ()
    parameter = Parameter("token", kind, choices, is_secret=True)
    said = ""
    try:
        parsed(form.replace("{}", SECRET), parameter)
    except BadValue as error:
        said = f"{error} {error.hint} {error.__cause__}"

    assert SECRET not in said
    assert said or kind in (ValueKind.TEXT, ValueKind.PATH)


def test_records_have_plain_values_and_no_secrets() -> None:
    parameters = (
        Parameter("when", ValueKind.DATETIME), Parameter("day", ValueKind.DATE), Parameter("long", ValueKind.DURATION),
        Parameter("file", ValueKind.PATH), Parameter("n", ValueKind.WHOLE), Parameter("token", is_secret=True),
        Parameter("left", is_required=False), REST,
    )  # fmt: skip
    found = masked(parsed("2026-12-24T09:00 2026-12-24 90s a/b 3 hunter2 x y z", *parameters), parameters)

    assert found == {
        "when": "2026-12-24T09:00:00+01:00", "day": "2026-12-24", "long": "1m30s", "file": "a/b", "n": 3,
        "token": "***", "left": "x", "rest": ["y", "z"],
    }  # fmt: skip
    assert to_json(found)


def command(*parameters: Parameter) -> Command:
    return Command("x.deploy", Action("x.deploy", "x.py", 1), words="deploy", parameters=parameters)


@pytest.mark.parametrize(
    ("line", "parameters", "written"),
    [
        ("env=PROD app=shop", DEPLOY, "deploy shop prod"),
        ("shop version=1", DEPLOY, "deploy shop --version=1"),
        ("'my shop' prod", DEPLOY, 'deploy "my shop" prod'),
        ("dry_run=no", (FORCE,), "deploy no"),
        ("--no-dry-run", (Parameter("app", is_required=False), FORCE), "deploy --no-dry-run"),
        ("a,b", (Parameter("x", is_list=True),), "deploy --x a --x b"),
        ("'a,b'", (Parameter("x", is_list=True),), 'deploy --x "a,b"'),
        ("hunter2 x", (Parameter("token", is_secret=True), Parameter("app")), "deploy *** x"),
        ("a at 18:00", (REST,), 'deploy a "at" 18:00'),
    ],
)
def test_the_exact_command_is_as_one_would_type_it(line: str, parameters: tuple[Parameter, ...], written: str) -> None:
    assert canonical(command(*parameters), parsed(line, *parameters)) == written


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ((), "deploy"),
        (DEPLOY, "deploy APP [ENV=staging|prod] [VERSION]"),
        ((FORCE, Parameter("sure", ValueKind.FLAG)), "deploy [--dry-run] SURE=yes|no"),
        ((Parameter("wait", ValueKind.FLAG, is_required=False, default="True"),), "deploy [--no-wait]"),
        ((Parameter("app_name", is_named=True), Parameter("v", is_named=True, is_required=False)),
         "deploy --app-name APP-NAME [--v V]"),
        ((Parameter("x", is_list=True), REST), "deploy X... [REST...]"),
        ((Parameter("env", ValueKind.CHOICE, ("a", "b"), is_named=True),), "deploy --env a|b"),
    ],
)  # fmt: skip
def test_usage_is_one_line(parameters: tuple[Parameter, ...], shown: str) -> None:
    assert usage(command(*parameters)) == shown


class TestWordsOfASentence:
    """A parameter that is given by name only, and whose name ends with `_`, is written as in a sentence."""

    JOB = Parameter("job")
    FOR = Parameter("for_", ValueKind.DURATION, is_required=False, is_named=True)

    @pytest.mark.parametrize(
        "words", [["disk", "for", "2h"], ["for", "2h", "disk"], ["disk", "--for", "2h"], ["disk", "for=2h"]]
    )
    def test_it_takes_the_word_after_it(self, words: list[str]) -> None:
        read = parse_arguments(words, [self.JOB, self.FOR], zone=timezone.utc, now=NOW)

        assert read.values == {"job": "disk", "for_": timedelta(hours=2)}

    def test_the_word_alone_is_a_value(self) -> None:
        read = parse_arguments(["for"], [self.JOB, self.FOR], zone=timezone.utc, now=NOW)

        assert read.values == {"job": "for"}

    def test_it_is_shown_and_repeated_as_it_is_written(self) -> None:
        pause = Command("chat.pause", Action("chat.pause", "", 1), "pause", parameters=(self.JOB, self.FOR))
        read = parse_arguments(["disk", "for=90m"], pause.parameters, zone=timezone.utc, now=NOW)

        assert usage(pause) == "pause JOB [for D]"
        assert canonical(pause, read) == "pause disk for 1h30m"


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("shop tok-1", "deploy shop token=<token>"),
        ("shop", ""),
        ("shop tok-1 staging", "deploy shop token=<token> staging"),
        ("--env staging --token tok-1 shop", "deploy shop token=<token> staging"),
        ("shop --api-key k --for tok-2", "deploy shop api-key=<api-key> for <for>"),
    ],
)
def test_a_command_with_secrets_is_typed_again_with_a_gap_for_each(line: str, written: str) -> None:
    parameters = (
        Parameter("app"),
        Parameter("token", is_required=False, is_secret=True),
        Parameter("env", is_required=False),
        Parameter("api_key", is_required=False, is_secret=True, is_named=True),
        Parameter("for_", is_required=False, is_secret=True, is_named=True),
    )
    made = command(*parameters)

    assert to_fill_in(made, parsed(line, *parameters)) == written


def test_the_words_that_are_left_are_one_gap() -> None:
    parameters = (Parameter("app"), Parameter("keys", is_list=True, is_variadic=True, is_secret=True))

    assert to_fill_in(command(*parameters), parsed("shop one two", *parameters)).endswith(" shop <keys>")
