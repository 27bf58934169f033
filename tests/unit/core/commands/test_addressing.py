from __future__ import annotations

from datetime import datetime, timezone

import pytest

from slack_alert.core.commands.addressing import Addressing, asked_text, first_words, pressed_text
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ButtonPress, ChatMessage, Identity, ReplyTo
from slack_alert.core.model.run import Action

COMMANDS = [
    Command("x.deploy", Action("x.deploy", "x.py", 1), words="deploy", parameters=(Parameter("app"),)),
    Command("x.go", Action("x.go", "x.py", 1), words="./deploy.sh"),
    Command("x.merge", Action("x.merge", "x.py", 1), words="pr merge", parameters=(Parameter("number"),)),
    Command(
        "x.test", Action("x.test", "x.py", 1), words="test",
        parameters=(Parameter("number"), Parameter("repo", is_required=False)),
    ),
]  # fmt: skip
ADDRESSING = Addressing(
    ("!", "bot:", "bot"),
    {"C2": ("",), "C3": ("$", ""), "C4": ()},
    has_tags=True,
    first_words=first_words(COMMANDS),
)


def message(text: str, channel: str = "C1", /, **how: bool) -> ChatMessage:
    reply_to = ReplyTo(Address("slack", channel))
    at = datetime(2026, 12, 1, tzinfo=timezone.utc)
    return ChatMessage(("1",), at, Identity("slack", "T1", "U1"), reply_to, text, "slack.socket", **how)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("!deploy shop", "deploy shop"),
        ("！deploy shop", "deploy shop"),
        ("  ! deploy shop ", "deploy shop"),
        ("!/deploy shop", "deploy shop"),
        ("bot: deploy shop", "deploy shop"),
        ("Bot deploy shop", "deploy shop"),
        ("!./deploy.sh shop", "./deploy.sh shop"),
        ("!部署 shop", "部署 shop"),
        ("botany is fun", None),
        ("deploy shop", None),
        ("say !deploy shop", None),
        ("!", ""),
        (" ! ", ""),
        ("!!!", None),
        ("!?", None),
        ("!= 5", None),
        ("```!deploy shop```", None),
        ("!```deploy shop```", None),
        ("", None),
    ],
)
def test_a_prefix_makes_a_command(text: str, line: str | None) -> None:
    assert asked_text(message(text), ADDRESSING) == line


@pytest.mark.parametrize("how", ["is_direct", "is_mention", "is_slash"])
@pytest.mark.parametrize(
    ("text", "line"),
    [("deploy shop", "deploy shop"), ("/deploy shop", "deploy shop"), ("./deploy.sh", "./deploy.sh"), ("", "")],
)
def test_what_is_said_to_the_bot_alone_is_a_command(text: str, line: str, how: str) -> None:
    assert asked_text(message(text, "C1", **{how: True}), ADDRESSING) == line


@pytest.mark.parametrize("how", ["is_direct", "is_mention"])
def test_a_prefix_said_to_the_bot_is_taken_off_and_code_is_no_command(how: str) -> None:
    assert asked_text(message("!deploy shop", "C1", **{how: True}), ADDRESSING) == "deploy shop"
    assert asked_text(message("```deploy shop```", "C1", **{how: True}), ADDRESSING) is None


@pytest.mark.parametrize(
    ("channel", "text", "line"),
    [
        ("C2", "deploy shop", "deploy shop"),
        ("C2", "/Deploy shop", "Deploy shop"),
        ("C2", "./deploy.sh shop", "./deploy.sh shop"),
        ("C2", "pr merge 5", "pr merge 5"),
        ("C2", "pr is broken", None),
        ("C2", "please deploy shop", None),
        ("C2", "deployment is done", None),
        ("C2", "!deploy shop", None),
        ("C2", "```deploy shop```", None),
        ("C3", "$deploy shop", "deploy shop"),
        ("C3", "deploy shop", "deploy shop"),
        ("C4", "!deploy shop", None),
    ],
)
def test_a_channel_has_its_own_prefixes_and_an_empty_one_needs_the_words_of_a_command(
    channel: str, text: str, line: str | None
) -> None:
    assert asked_text(message(text, channel), ADDRESSING) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("please /test 233", "test 233"),
        ("please /test 233 and tell me", "test 233"),
        ("please /test 233, thanks", "test 233"),
        ("is it /test 233?", "test 233"),
        ("please /test 233 repo=shop --fast now", "test 233 repo=shop --fast"),
        ("looks good\n/test 233 shop", "test 233 shop"),
        ("/test 233 shop", "test 233 shop"),
        ("now /pr merge 5 please", "pr merge 5"),
        ("我看可以 /test 233 了", "test 233"),
        ("see /usr/bin or /tmp", None),
        ("and/test 233", None),
        ("http://x/test 233", None),
        ("`/test 233`", None),
        ("try `x /test 233` first", None),
        ("```\n/test 233\n```", None),
        ("```\n/test 233", None),
        ("&gt; /test 233", None),
        ("> /test 233", None),
        ("it is /testing 233", None),
    ],
)
def test_a_tag_within_a_sentence_is_found(text: str, line: str | None) -> None:
    assert asked_text(message(text), ADDRESSING) == line


def test_tags_are_off_unless_they_are_on() -> None:
    assert asked_text(message("please /test 233"), Addressing(first_words=first_words(COMMANDS))) is None


def press(action: str, value: str = "") -> ButtonPress:
    asked = message("")
    return ButtonPress(asked.ids, asked.at, asked.by, asked.reply_to, asked.door, action, value)


@pytest.mark.parametrize(
    ("pressed", "line"),
    [
        (press("test", "233 shop"), "test 233 shop"),
        (press("pr merge", "4"), "pr merge 4"),
        (press("Test"), "Test"),
        # The buttons of a plugin's own blocks, such as those that only open an address.
        (press("aB3x", "test 233"), None),
        (press("", "test 233"), None),
        (press("test 233"), None),
    ],
)
def test_a_button_asks_for_the_command_that_it_names_and_others_for_nothing(
    pressed: ButtonPress, line: str | None
) -> None:
    assert pressed_text(pressed, first_words(COMMANDS)) == line
