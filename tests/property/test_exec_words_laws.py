"""Options of ours end at the first word of the command that `exec` runs; all behind it is the command's."""

from __future__ import annotations

from collections.abc import Iterable

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.cli.control.exec_command import execute
from slack_alert.cli.main import COMMANDS, cli
from slack_alert.cli.option_order import move_options

#: An option of ours in each spelling, the parameter it sets and to what.
OPTIONS = (
    (("-c", "vacuum"), "config", "vacuum"),
    (("-cvacuum",), "config", "vacuum"),
    (("--config", "x.conf"), "config", "x.conf"),
    (("--config=x.conf",), "config", "x.conf"),
    (("--path", "here"), "path", "here"),
    (("--log-level", "debug"), "log_level", "debug"),
    (("--log-format=json",), "log_format", "json"),
    (("-s", "GeventScheduler"), "scheduler", "GeventScheduler"),
    (("--dry-run",), "dry_run", True),
    (("--to", "#ops"), "to", "#ops"),
    (("--timeout", "30m"), "timeout", "30m"),
    (("--timeout=30m",), "timeout", "30m"),
    (("--quiet-output",), "quiet_output", True),
    (("--ignore-global-config",), "ignore_global_config", True),
)
#: What a command may be called with, among it all that is an option of ours elsewhere.
WORDS = (
    "hello", "-c", "vacuum", "--json", "--path", "--dry-run", "--help", "-h", "--version", "--", "-", "--to", "-x",
    "exec", "run", "--log-level", "debug", "--timeout=1s", "--quiet-output", "",
)  # fmt: skip

chosen = st.lists(st.sampled_from(OPTIONS), unique_by=lambda option: option[1], max_size=5)
behind_command = st.lists(st.sampled_from(WORDS), max_size=6)


def parsed(words: Iterable[str]) -> dict[str, object]:
    """Read a whole command line as `slack-alert` does; return what was given, before and after the command's name."""
    found: dict[str, object] = {}
    arranged = move_options(cli, COMMANDS, lambda name: cli.get_command(click.Context(cli), name), [*words])
    group = cli.make_context("slack-alert", arranged)
    found.update({name: value for name, value in group.params.items() if value not in (None, False)})
    name, *rest = [*group._protected_args, *group.args]
    assert name == "exec"
    command = execute.make_context("exec", rest, parent=group)
    found.update({name: value for name, value in command.params.items() if value not in (None, False)})
    return found


def flat(options: Iterable[tuple[tuple[str, ...], str, object]]) -> list[str]:
    return [word for words, _, _ in options for word in words]


@given(chosen, st.integers(0, 5), st.integers(0, 5), st.booleans(), behind_command)
def test_options_are_ours_up_to_the_commands_first_word_and_not_beyond(
    options: list[tuple[tuple[str, ...], str, object]], one: int, other: int, is_marked: bool, words: list[str]
) -> None:
    first, second = sorted((one, other))
    before, between, after = options[:first], options[first:second], options[second:]
    line = [*flat(before), "exec", *flat(between), "nightly", *flat(after), *(["--"] if is_marked else [])]

    found = parsed([*line, "echo", *words])

    assert found.pop("name") == "nightly"
    assert found.pop("command") == ("echo", *words)
    assert found == {name: value for _, name, value in options}


@given(behind_command)
def test_a_command_that_begins_with_a_dash_comes_after_two_of_them(words: list[str]) -> None:
    assert parsed(["exec", "nightly", "--", "-c", *words])["command"] == ("-c", *words)
    assert parsed(["exec", "--", "nightly", "-c", *words])["command"] == ("-c", *words)


@pytest.mark.parametrize("words", [("exec", "--bogus", "nightly", "echo"), ("exec", "nightly", "--bogus", "echo")])
def test_an_option_nobody_knows_before_the_command_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(click.NoSuchOption):
        parsed(words)


@pytest.mark.parametrize("words", [("exec", "nightly", "--timeout"), ("exec", "--to"), ("exec", "nightly", "-c")])
def test_an_option_without_its_value_is_refused_as_such(words: tuple[str, ...]) -> None:
    with pytest.raises(click.BadOptionUsage):
        parsed(words)
