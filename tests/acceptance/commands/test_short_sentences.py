"""No sentence about an error repeats more of a value than tells which one it is."""

from __future__ import annotations

from itertools import cycle

import click
import pytest

from slack_alert.cli.main import COMMANDS, cli
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError, StoreError
from slack_alert.core.excerpts import abridged
from slack_alert.core.model.request import Request
from slack_alert.engine.requests.apply import apply_request
from slack_alert.settings.keys import KEYS
from tests.fakes.plugins import surveyed
from tests.fakes.project import Project, now

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

LONG = "x" * 20_000
#: A sentence, with room for the usual hint, and the usage that click puts before it.
MOST = 2_500


def options() -> list[tuple[str, str]]:
    """Name every option of every command that takes a value."""
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        taken = (each for each in command.params if isinstance(each, click.Option) and not each.is_flag)
        found += [(name, option.opts[-1]) for option in taken]
    return found


#: What a command cannot do without.
ARGUMENTS = {
    "trigger": ["lag"], "pause": ["lag"], "resume": ["lag"], "mute": ["lag"], "unmute": ["lag"], "ack": ["lag"],
    "explain": ["lag"], "send": ["hello"], "exec": ["nightly", "true"], "emit": ["done"], "completion": ["bash"],
}  # fmt: skip


@pytest.mark.slow
def test_no_option_repeats_its_value(bare: Project, request: pytest.FixtureRequest) -> None:
    step = 1 if request.config.getoption("thorough") else 3
    values = cycle((LONG, f"{LONG}=1", f"1{LONG}", f"=#{LONG}"))
    for (command, option), value in [*zip(options(), values, strict=False)][::step]:
        if command == "run" and option not in {"--path", "--config"}:  # It would go on for ever.
            continue
        words = ARGUMENTS.get(command, [])

        done = bare.run(command, option, value, "--dry-run", *words)

        assert len(done.err) < MOST, (command, option, len(done.err), done.err[:300])


@pytest.mark.slow
@pytest.mark.parametrize("words", [
    (LONG,), (f"--{LONG}",), (f"-{LONG}",), ("history", LONG), ("history", f"--{LONG}"), ("history", f"*{LONG}"),
    ("trigger", LONG), ("trigger", f"db.{LONG}"), ("pause", LONG), ("pause", f"{LONG}*"), ("explain", LONG),
    ("report", LONG), ("outbox", LONG), ("outbox", "retry", LONG), ("outbox", "drop", "9" * 4_000), ("ack", LONG),
    ("emit", LONG), ("emit", f"a={LONG}"), ("emit", "a", LONG), ("exec", LONG), ("exec", LONG, "true"),
    ("exec", "nightly", LONG), ("mute", LONG, "--for", "1h"), ("completion", LONG), ("jobs", LONG),
    ("send", "hello", LONG), ("simulate", "--outcome", f"{LONG}=quiet"), ("trigger", "lag", "--event", LONG),
])  # fmt: skip
def test_no_word_is_repeated(words: tuple[str, ...], bare: Project) -> None:
    done = bare.run(*words)

    assert done.code != 0 or words[0] == "emit"
    assert len(done.err + done.out) < MOST, (done.err + done.out)[:300]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "value"),
    list(enumerate([LONG, f"1{LONG}", f"#{LONG}", f"http://{LONG}", f"xoxb-{LONG}", f"mon {LONG}"])),
    ids=lambda value: f"{value}"[:9],
)
def test_no_setting_is_repeated(number: int, value: str, project: Project, request: pytest.FixtureRequest) -> None:
    for key in list(KEYS) if request.config.getoption("thorough") else list(KEYS)[number % 3 :: 3]:
        project.write("slack_alert.conf", f"[slack]\n{key.written} = {value}\n")

        done = project.run("jobs")

        assert len(done.err) < MOST, (key.written, len(done.err), done.err[:300])


@pytest.mark.parametrize("name", ["SLACK_ALERT_MAX_ALERT", "SLACK_ALERT_QUIET_A", f"SLACK_ALERT_{LONG}"])
def test_no_variable_of_the_environment_is_repeated(name: str, project: Project) -> None:
    project.monkeypatch.setenv(name, LONG)

    assert len(project.run("jobs").err) < MOST


@pytest.mark.slow
@pytest.mark.parametrize("text", [
    f"{LONG}\n", f"[{LONG}]\n", f"[slack]\n{LONG} = 1\n", f"[slack]\n{LONG}\n", f"[slack]\nmax_alert = 1 {LONG}\n",
    f"[quiet]\n{LONG} = 1\n", f"[quiet]\na = {LONG}\n", f"[slack\n{LONG}",
    f"[slack]\nmax_alert = 1\nmax_alert = {LONG}\n",
])  # fmt: skip
def test_no_line_of_a_configuration_is_repeated(text: str, project: Project) -> None:
    project.write("slack_alert.conf", text)

    done = project.run("jobs")

    assert done.code == 2
    assert len(done.err) < MOST, done.err[:300]


@pytest.mark.parametrize(
    "source",
    [
        f"@deco(minutes='{LONG}')\ndef f(): pass",
        f"@deco(minutes={LONG})\ndef f(): pass",
        f"@deco({LONG}=5, minutes=5)\ndef f(): pass",
        f"@deco(cron='{LONG}')\ndef f(): pass",
        f"@deco(cron='* * * * {LONG}')\ndef f(): pass",
        f"@deco(minutes=5, to='{LONG}:a')\ndef f(): pass",
        f"@deco(minutes=5, timezone='{LONG}')\ndef f(): pass",
        f"@deco(minutes=5, working_hours='{LONG}')\ndef f(): pass",
        f"@deco(on='a', where={{'a': '> {LONG}'}})\ndef f(): pass",
        f"@deco(minutes=5)\ndef {LONG}(a): pass",
        f"@{LONG}\n@deco(minutes=5)\ndef f(): pass",
        f"{LONG}(minutes=5)\ndef f(): pass",
        f"@{LONG}\ndef f(): pass",
        f"from a import {LONG}\n@{LONG}(minutes=5)\ndef f(): pass",
        f"def f(:\n  '{LONG}'",
        f"# -*- coding: {LONG} -*-\n",
    ],
    ids=lambda source: source[:20].replace("\n", " "),
)
def test_no_problem_repeats_what_a_file_says(source: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    for problem in surveyed(tmp_path_factory.mktemp("a"), source).problems:
        assert len(str(problem)) < MOST, str(problem)[:300]


@pytest.mark.slow
def test_no_failure_while_loading_repeats_what_was_raised(bare: Project) -> None:
    bare.write("plugins/other.py", "raise ValueError('x' * 100_000)\n\n@deco(minutes=5)\ndef f():\n    return 1\n")

    assert len(bare.run("check", "--load").out) < MOST
    assert len(bare.run("check", "--load", "--json").out) < MOST
    assert len(bare.run("trigger", "f").err) < MOST


@pytest.mark.parametrize(
    "request_",
    [
        Request(LONG, {}, now()),
        Request("pause", {"job": LONG, "until": LONG}, now()),
        Request("pause", {"job": [LONG], "until": None}, now()),
        Request("record", {"job": "a", "slot": now().isoformat(), "verdict": LONG}, now()),
        Request("mute", {"job": "a", "until": LONG, "by": ""}, now()),
        Request("retry", {"id": LONG}, now()),
    ],
    ids=lambda request: f"{request.kind[:9]}",
)
def test_no_refused_request_is_repeated_in_the_log(request_: Request, caplog: pytest.LogCaptureFixture) -> None:
    apply_request(request_, lambda: 1)

    for record in caplog.records:
        assert sum(len(str(value)) for value in vars(record).values()) < MOST


@pytest.mark.parametrize("kind", [SlackAlertError, BadValue, SettingsError, StoreError])
def test_whatever_is_raised_is_short(kind: type[SlackAlertError]) -> None:
    assert len(str(kind(f"{LONG!r} is no value."))) < MOST
    if kind in {BadValue, SettingsError}:
        assert len(kind("no", hint=f"Write {LONG}.").hint) < MOST


def test_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() -> None:
    said = abridged(f"'{LONG}' is no day. Write mon.")

    assert said == "'… 20,000 more characters …' is no day. Write mon."
    assert abridged("'x' is no day.") == "'x' is no day."


def test_a_problem_is_short_wherever_it_is_made() -> None:
    problem = Problem("plugins/a.py", 1, 1, Severity.ERROR, "SA201", LONG, LONG)

    assert len(problem.message) + len(problem.hint) < MOST
