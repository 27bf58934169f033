"""The verbs that come with the program."""

from __future__ import annotations

from slack_alert.core.commands.command import VERBS, Command
from slack_alert.core.commands.suggestions import commands_by_words, find_command
from slack_alert.core.model.run import Action
from slack_alert.core.structs import replace
from slack_alert.loader.shipped import load_shipped
from tests.fakes.plugins import DEFAULTS


def test_the_words_of_verbs_are_known_without_importing_them() -> None:
    verbs = load_shipped("chat", replace(DEFAULTS, built_in=VERBS))

    assert {words for verb in verbs if isinstance(verb, Command) for words in (verb.words, *verb.aliases)} <= VERBS


def test_a_verb_keeps_its_words_and_a_plugin_s_command_its_full_name() -> None:
    verbs = [verb for verb in load_shipped("chat", DEFAULTS) if isinstance(verb, Command)]
    plugin = Command("ops.whoami", Action("ops.whoami", "plugins/ops.py", 1), "whoami")

    for commands in ([plugin, *verbs], [*verbs, plugin]):
        assert find_command(["whoami"], commands_by_words(commands))[0].name == "chat.whoami"
        assert find_command(["ops.whoami"], commands_by_words(commands))[0].name == "ops.whoami"
