from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.bootstrap.plugin_loading import survey_plugins
from slack_alert.core.commands.arguments import parse_arguments, usage
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.core.model.run import RunOptions
from slack_alert.settings.command_sections import parse_parameters
from slack_alert.settings.model import CommandSection
from tests.fakes.machine import USER_CONF, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd" / "plugins").mkdir(parents=True)
    return Machine(tmp_path / "cwd", tmp_path / "home")


DEPLOY = """\
[slack]
timezone = UTC

[command.deploy]
run = ./deploy.sh {app} --env={env} {version} '{a b}' {rest}
params = app, env: staging|prod = staging, version?, n: int = 3, *rest
allow = ops, release
queue = deploy
lock = {env}
cwd = plugins
timeout = 10m
help = Put a version of an application into an environment.  # for all

[roles]
ops = U123
release = U123
"""


def commands(machine: Machine, conf: str) -> tuple[CommandSection, ...]:
    machine.write("slack_alert.conf", conf)
    return machine.load({}).settings.commands


def test_a_section_is_a_command(machine: Machine, tmp_path: Path) -> None:
    (found,) = commands(machine, DEPLOY)

    assert found.run == ("./deploy.sh", "{app}", "--env={env}", "{version}", "{a b}", "{rest}")
    assert found.parameters == (
        Parameter("app"),
        Parameter("env", ValueKind.CHOICE, ("staging", "prod"), is_required=False, default="'staging'"),
        Parameter("version", is_required=False),
        Parameter("n", ValueKind.WHOLE, is_required=False, default="3"),
        Parameter("rest", is_list=True, is_variadic=True, is_required=False),
    )
    assert (found.name, found.file, found.line) == ("deploy", "slack_alert.conf", 4)
    assert (found.allow, found.queue, found.lock) == (("ops", "release"), "deploy", "{env}")
    assert (found.cwd, found.timeout) == (tmp_path / "cwd" / "plugins", timedelta(minutes=10))
    assert found.help == "Put a version of an application into an environment."


def test_most_of_it_may_be_left_out(machine: Machine) -> None:
    first, second = commands(machine, "[command.up]\nrun = uptime\n[command.pr merge]\nrun = true\nqueue =\n")

    assert (first.name, first.queue) == ("pr merge", None)
    assert second == CommandSection("up", "slack_alert.conf", 1, ("uptime",))


def test_the_project_s_file_is_stronger_than_the_user_s(machine: Machine) -> None:
    machine.write(USER_CONF, "[command.up]\nrun = uptime\nhelp = From home.\n")

    (found,) = commands(machine, "[command.up]\nrun = uptime -p\n")

    assert (found.run, found.help) == (("uptime", "-p"), "From home.")


def test_it_is_a_binding_beside_the_plugins(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "plugins" / "x.py").write_text("@deco(command='deploy')\ndef f(): pass\n")
    machine.write("slack_alert.conf", DEPLOY)

    catalog = survey_plugins(machine.load({}).settings)

    configured, plugin = catalog.bindings
    assert isinstance(configured, Command)
    assert (configured.name, configured.words, configured.program) == (
        "command.deploy",
        "deploy",
        ("./deploy.sh", "{app}", "--env={env}", "{version}", "{a b}", "{rest}"),
    )
    assert configured.run_options == RunOptions(timedelta(minutes=10))
    assert (configured.action.file, configured.action.line, configured.action.doc) == (
        "slack_alert.conf",
        4,
        "Put a version of an application into an environment.",
    )
    assert usage(configured) == "deploy APP [ENV=staging|prod] [VERSION] [N] [REST...]"
    assert plugin.name == "x.f"
    assert [(one.code, one.message) for one in catalog.problems] == [
        ("SA211", "the words `deploy` are also those of the command command.deploy, which comes first")
    ]


def test_a_plugin_s_name_may_not_be_that_of_a_section(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "plugins" / "command.py").write_text("@deco(minutes=5)\ndef deploy(): pass\n")
    machine.write("slack_alert.conf", DEPLOY)

    catalog = survey_plugins(machine.load({}).settings)

    assert [one.kind for one in catalog.bindings] == ["command"]
    assert [(one.code, one.message) for one in catalog.problems] == [
        ("SA206", "the name command.deploy is taken by slack_alert.conf:4")
    ]


@pytest.mark.parametrize("confirm", ["yes", "on", "Really?"])
def test_what_needs_a_confirmation_does_not_run_yet(machine: Machine, confirm: str) -> None:
    machine.write("slack_alert.conf", f"[slack]\ntimezone = UTC\n[command.up]\nrun = uptime\nconfirm = {confirm}\n")

    loaded = machine.load({})

    assert survey_plugins(loaded.settings).bindings == ()
    assert loaded.warnings == (
        "slack_alert.conf:3: confirm is not there yet in this version: the command up does not run.",
    )


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("[command.up]\n", "1: [command.up] has no run. Write run = ./deploy.sh {app}."),
        ("[command.up]\nhelp = x\n", "1: [command.up] has no run. Write run = ./deploy.sh {app}."),
        ("[command.up]\nrun =\n", "1: [command.up] has no run. Write run = ./deploy.sh {app}."),
        ("[command.up]\nrnu = x\n", "2: rnu is not a key of [command.up]. Did you mean run?"),
        ("[comand.up]\nrun = x\n", "1: [comand.up] is not a section. Did you mean command.up?"),
        ("[command.-x]\nrun = x\n", "1: '-x' cannot be a word of a command."),
        ("[command.up {a}]\nrun = x\n", "1: '{a}' cannot be a word of a command. Write the words alone, \"up\":"),
        ("[command.]\nrun = x\n", "1: '' cannot be a word of a command."),
        ("[command.up]\nrun = x 'y\n", "2: run: the quotes do not fit (No closing quotation)."),
        ("[command.up]\nrun = {app}\nparams = app\n", "2: run: the program itself cannot be a parameter."),
        ("[command.up]\nrun = x {ap}\nparams = app, env\n", "2: run: {ap} is not in params."),
        ("[command.up]\nrun = x {app}\n", "2: run: {app} is not in params. Write params = app."),
        ("[command.up]\nrun = x -{r}\nparams = *r\n", "2: run: {r} is several words."),
        ("[command.up]\nrun = x\nlock = {envv}\nparams = env\n", "3: lock: {envv} is not in params."),
        ("[command.up]\nrun = x\nparams = a: itn\n", "3: params: 'itn' is not a type of a."),
        ("[command.up]\nrun = x\nparams = a: b|c = d\n", "3: params: a: 'd' is not allowed."),
        ("[command.up]\nrun = x\nparams = a?, b\n", "3: params: b is required and stands after a, which is not."),
        ("[command.up]\nrun = x\nparams = a, a\n", "3: params: a is there twice."),
        ("[command.up]\nrun = x\nparams = *a, b?\n", "3: params: b stands after *a, which takes all words."),
        ("[command.up]\nrun = x\nparams = a b\n", "3: params: 'a b' is not a parameter."),
        ("[command.up]\nrun = x\ncwd = nowhere\n", "3: cwd: 'nowhere' is not a folder."),
        (f"[command.up]\nrun = x\ncwd = {'x' * 300}\n", "3: cwd: "),
        ("[command.up]\nrun = x\ntimeout = 0\n", "3: timeout: the time is nothing."),
        ("[command.up]\nrun = x\ntimeout = soon\n", "3: timeout: 'soon' is not a duration."),
        ("[command.up]\nrun = x\nrun = y\n", "3: run is set twice, here and in line 2."),
    ],
)  # fmt: skip
def test_a_fault_stops_the_start_with_its_place_and_what_to_write(machine: Machine, conf: str, said: str) -> None:
    machine.write("slack_alert.conf", conf)

    with pytest.raises(SettingsError) as raised:
        machine.load({})

    assert str(raised.value).startswith(f"slack_alert.conf:{said}")
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a: int", (Parameter("a", ValueKind.WHOLE),)),
        ("a : float?", None),
        ("a?: float", (Parameter("a", ValueKind.NUMBER, is_required=False),)),
        ("a: bool = yes", (Parameter("a", ValueKind.FLAG, is_required=False, default="True"),)),
        ("a: secret", (Parameter("a", is_secret=True),)),
        ("*a: dash", (Parameter("a", is_list=True, is_variadic=True, is_required=False, takes_dash=True),)),
        ("a: duration = 5m", (Parameter("a", ValueKind.DURATION, is_required=False, default="'5m'"),)),
        ("größe: path", (Parameter("größe", ValueKind.PATH),)),
        ("ctx", None),
        ("1a", None),
        ("a = -x", None),
        ("*a = b", None),
        ("a: b||c", None),
    ],
)
def test_parameters_are_written_in_one_line(text: str, expected: tuple[Parameter, ...] | None) -> None:
    if expected is None:
        with pytest.raises(BadValue):
            parse_parameters(text)
    else:
        assert parse_parameters(text) == expected


@pytest.mark.slow
def test_a_whole_line_runs_the_program(machine: Machine, tmp_path: Path) -> None:
    from slack_alert.core.commands.suggestions import commands_by_words, find_command
    from slack_alert.core.commands.words import split_line
    from slack_alert.core.content.render import fallback
    from slack_alert.core.structs import replace
    from tests.fakes.engine_rig import at
    from tests.fakes.stage import Stage, run_of

    machine.write("slack_alert.conf", "[command.say]\nrun = printf '%s;' {a} {n} {b}\nparams = a, n: int = 3, b?\n")
    (binding,) = survey_plugins(machine.load({}).settings).bindings
    assert isinstance(binding, Command)
    settings = machine.load({}).settings
    command, words = find_command(split_line('say "a b; $(id)" b=c'), commands_by_words([binding]))
    arguments = parse_arguments(words, command.parameters, zone=settings.timezone, now=at("16 09:00"))

    result = Stage(tmp_path).call(replace(run_of(print), action=binding.action, arguments=arguments))

    assert [fallback(piece) for piece in result.pieces] == ["a b; $(id);3;c;"]
