"""The Slack app that slack-alert needs: its scopes and their purposes, and its manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: The scopes without which nothing is sent.
REQUIRED = frozenset({"chat:write"})

#: Scopes by name, with their purposes.
SCOPES: Mapping[str, str] = {
    "chat:write": "to post messages",
    "chat:write.public": "to post in public channels nobody invited the app to",
    "chat:write.customize": "to post under the name and icon of `username`, `icon_emoji` and `icon_url`",
    "files:write": "to upload files and pictures",
    "channels:read": "to find public channels by name",
    "groups:read": "to find private channels by name",
    "channels:history": "to look in public channels and threads before a message is repeated after a broken connection",
    "groups:history": "the same in private channels",
    "im:history": "the same in direct messages",
    "metadata.message:read": "to recognize its own messages when looking",
    "users:read": "to call people by name: @ann",
    "im:write": "to upload files to a person",
}

#: The scopes of a program that takes commands, with what does not work without each.
CHAT_SCOPES: Mapping[str, str] = {
    "app_mentions:read": "nobody can give a command by mentioning the app",
    "commands": "there are no slash commands, such as /slack-alert",
    "channels:history": "in public channels only a mention or a slash command is seen, not !deploy",
    "groups:history": "in private channels only a mention or a slash command is seen, not !deploy",
    "im:history": "direct messages are not seen",
    "users:read": "nobody is known as a member, so nobody may do anything",
    "usergroups:read": "who is in a user group is not known, so a role that names one lets nobody in",
}

#: These may be left out when the app is installed; each is missed only by those who use it.
OPTIONAL = frozenset({"chat:write.public", "chat:write.customize", "im:write", "usergroups:read"})

#: `app_rate_limited` needs no subscription.
_EVENTS = (
    "app_mention", "message.channels", "message.groups", "message.im", "user_change", "subteam_members_changed",
)  # fmt: skip

#: Slack's limits for slash commands: their number, and lengths in characters.
MAX_COMMANDS, MAX_NAME, MAX_DESCRIPTION, MAX_HINT = 50, 32, 2_000, 1_000
#: The slash command that takes every line.
SLASH = "/slack-alert"
#: Names that Slack's own commands have.
_TAKEN = frozenset(
    [
        "active",
        "apps",
        "archive",
        "away",
        "call",
        "collapse",
        "dm",
        "dnd",
        "expand",
        "feed",
        "feedback",
        "huddle",
        "invite",
        "invite_people",
        "join",
        "kick",
        "leave",
        "me",
        "msg",
        "mute",
        "open",
        "part",
        "people",
        "prefs",
        "remind",
        "remove",
        "rename",
        "search",
        "shortcuts",
        "shrug",
        "star",
        "status",
        "topic",
        "unarchive",
        "who",
    ]
)
_NAME = lazy_pattern(r"[a-z0-9][a-z0-9_-]*")


class SlashCommand(Struct, frozen=True):
    """A command for which Slack's menu shows an entry of its own."""

    #: The first word of its line.
    word: str
    description: str
    #: What follows the word.
    usage: str = ""


def manifest(commands: Iterable[SlashCommand] = (), *, url: str | None = None, has_chat: bool = True) -> str:
    """Return the app manifest as JSON, to be pasted under Create New App, From a manifest.

    With a `url`, Slack calls the program at that address; without, the program calls Slack (Socket Mode). Without
    `has_chat` the app only posts.
    """
    hooks = None if url is None else f"{url.rstrip('/')}/hooks/slack"
    app: dict[str, object] = {
        "display_information": {
            "name": "slack-alert",
            "description": "Says what your Python functions return.",
            "background_color": "#2c2d30",
        },
        "features": {
            # Without the tab, direct messages of the app are refused: messages_tab_disabled.
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": not has_chat,
            },
            "bot_user": {"display_name": "slack-alert", "always_online": True},
            **({"slash_commands": _slash_commands(commands, hooks)} if has_chat else {}),
        },
        "oauth_config": {"scopes": _scopes(has_chat=has_chat)},
        "settings": {
            **(_subscriptions(hooks) if has_chat else {}),
            "org_deploy_enabled": False,
            "socket_mode_enabled": has_chat and hooks is None,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(app, indent=2, ensure_ascii=False) + "\n"


def _scopes(*, has_chat: bool) -> dict[str, list[str]]:
    """Return the scopes; those that may be left out are among the others, too."""
    asked = [*SCOPES, *(scope for scope in CHAT_SCOPES if has_chat and scope not in SCOPES)]
    return {"bot": asked, "bot_optional": [scope for scope in asked if scope in OPTIONAL]}


def _subscriptions(hooks: str | None) -> dict[str, object]:
    events = {} if hooks is None else {"request_url": f"{hooks}/events"}
    interactive = {} if hooks is None else {"request_url": f"{hooks}/interactive"}
    return {
        "event_subscriptions": {**events, "bot_events": list(_EVENTS)},
        "interactivity": {"is_enabled": True, **interactive},
    }


def _slash_commands(commands: Iterable[SlashCommand], hooks: str | None) -> list[dict[str, object]]:
    """Return the command that takes every line, then those with an entry of their own, as far as Slack takes them."""
    whole = SlashCommand(SLASH.removeprefix("/"), "Ask for a command; help lists them.", "help")
    by_word: dict[str, SlashCommand] = {whole.word: whole}
    for command in commands:
        fits = _NAME.fullmatch(command.word) and len(command.word) < MAX_NAME and command.word not in _TAKEN
        if fits and len(by_word) < MAX_COMMANDS:
            by_word.setdefault(command.word, command)
    url = {} if hooks is None else {"url": f"{hooks}/commands"}
    return [
        {
            "command": f"/{command.word}",
            **url,
            "description": (command.description.strip() or f"Run {command.word}.")[:MAX_DESCRIPTION],
            **({"usage_hint": command.usage[:MAX_HINT]} if command.usage else {}),
            # Else mentions arrive as plain text.
            "should_escape": True,
        }
        for command in by_word.values()
    ]
