from __future__ import annotations

import pytest

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.suggestions import commands_by_words, find_command
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action


def command(name: str, words: str, *aliases: str) -> Command:
    return Command(name, Action(name, "plugins/x.py", 1), words=words, aliases=aliases)


COMMANDS = [
    command("chat.status", "status"),
    command("chat.run", "run"),
    command("chat.pause", "pause"),
    command("chat.resume", "resume"),
    command("deploys.deploy", "deploy", "ausrollen jetzt", "部署"),
    command("git.pr", "pr"),
    command("git.merge", "pr merge", "merge"),
    command("shell.go", "./go.sh"),
    command("café.run", "Café Öffnen"),
    command("own.pause", "pause"),
]


@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        ("deploy shop", "deploys.deploy", ["shop"]),
        ("Deploy SHOP", "deploys.deploy", ["SHOP"]),
        ("/deploy shop", "deploys.deploy", ["shop"]),
        ("deploys.deploy shop", "deploys.deploy", ["shop"]),
        ("ausrollen jetzt shop", "deploys.deploy", ["shop"]),
        ("部署 shop", "deploys.deploy", ["shop"]),
        ("pr 5", "git.pr", ["5"]),
        ("pr merge 5", "git.merge", ["5"]),
        ("PR Merge 5", "git.merge", ["5"]),
        ("git.merge 5", "git.merge", ["5"]),
        ("./go.sh x", "shell.go", ["x"]),
        ("cafe\u0301 o\u0308ffnen", "café.run", []),
        ("pause x", "chat.pause", ["x"]),
        ("chat.pause x", "chat.pause", ["x"]),
        ("sta", "chat.status", []),
        ("dep shop prod", "deploys.deploy", ["shop", "prod"]),
        ("pr mer 5", "git.pr", ["mer", "5"]),
        ("mer 5", "git.merge", ["5"]),
        ("aus jet x", "deploys.deploy", ["x"]),
    ],
)
def test_the_longest_words_that_match_are_the_command(line: str, name: str, rest: list[str]) -> None:
    found, left = find_command(line.split(), commands_by_words(COMMANDS))

    assert (found.name, left) == (name, rest)


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("deplyo web", "There is no command 'deplyo'.", "Did you mean deploy?"),
        ("r x", "There is no command 'r'.", "Did you mean pr?"),
        ("deploys.deplo x", "There is no command 'deploys.deplo'.", "Did you mean deploys.deploy?"),
        ("hello there", "There is no command 'hello'.", "`help` lists them."),
        ("puase x", "There is no command 'puase'.", "Did you mean pause?"),
        ("öffnen", "There is no command 'öffnen'.", "Did you mean café öffnen?"),
        ("ausrolen jetzt", "There is no command 'ausrolen'.", "Did you mean ausrollen jetzt or pause?"),
        ("", "There is no command in it.", "`help` lists them."),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(line: str, said: str, hint: str) -> None:
    with pytest.raises(BadValue) as raised:
        find_command(line.split(), commands_by_words(COMMANDS))

    assert (str(raised.value), raised.value.hint) == (said, hint)


def test_half_a_word_of_several_commands_is_none_of_them() -> None:
    begun = [command("a.stop", "stop"), command("b.store", "store"), command("c.x", "storage list")]
    with pytest.raises(BadValue) as raised:
        find_command(["sto"], commands_by_words(begun))

    assert (str(raised.value), raised.value.hint) == ("'sto' may be several commands.", "Write one of: stop, store.")


def test_half_a_word_of_two_names_of_one_command_is_that_command() -> None:
    assert find_command(["dep"], commands_by_words([command("a.f", "deploy", "deployment")]))[0].name == "a.f"


def test_at_most_three_commands_are_suggested() -> None:
    with pytest.raises(BadValue) as raised:
        find_command(["test"], commands_by_words([command(f"a.f{number}", f"te{number}st") for number in range(9)]))

    assert raised.value.hint.count(" or ") == 2


def test_the_words_of_another_s_alias_stay_with_the_command_that_has_them_as_its_name() -> None:
    first, second = command("a.f", "go", "stop"), command("b.g", "stop")

    assert find_command(["stop"], commands_by_words([first, second]))[0] == second
