"""The manifest is within Slack's limits, whatever the commands are, and asks for what the doors need."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.channels.slack.manifest import CHAT_SCOPES, OPTIONAL, SCOPES, SlashCommand, manifest

#: Of `Manifest` in @slack/web-api 8.2.0.
BOUNDS = {"name": 35, "description": 140}
WORDS = st.one_of(st.text(max_size=40), st.from_regex(r"[a-z0-9_-]{1,33}", fullmatch=True), st.just("deploy"))
COMMANDS = st.lists(st.builds(SlashCommand, WORDS, st.text(max_size=2_100), st.text(max_size=1_100)), max_size=70)


def app(*commands: SlashCommand, url: str | None = None, has_chat: bool = True) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(manifest(commands, url=url, has_chat=has_chat))
    return read


@given(COMMANDS, st.sampled_from([None, "https://alerts.example.org"]))
def test_any_commands_make_a_manifest_within_the_limits(commands: list[SlashCommand], url: str | None) -> None:
    written = app(*commands, url=url)

    slashes = written["features"]["slash_commands"]
    assert 1 <= len(slashes) <= 50
    assert len({each["command"] for each in slashes}) == len(slashes)
    assert all(len(each["command"]) <= 32 and each["command"][0] == "/" for each in slashes)
    assert all(1 <= len(each["description"]) <= 2_000 for each in slashes)
    assert all(len(each.get("usage_hint", "")) <= 1_000 and each["should_escape"] is True for each in slashes)
    assert all(len(written["display_information"][name]) <= limit for name, limit in BOUNDS.items())


def test_commands_keep_their_order_and_the_first_ones_get_an_entry() -> None:
    named = [SlashCommand(f"c{n}", "") for n in range(60)]

    slashes = [each["command"] for each in app(*named)["features"]["slash_commands"]]
    assert slashes == ["/slack-alert", *(f"/c{n}" for n in range(49))]


@pytest.mark.parametrize("word", ["status", "Deploy", "./deploy.sh", "部署", "-x", "x" * 32, "", "slack-alert"])
def test_what_slack_does_not_take_has_no_entry(word: str) -> None:
    assert len(app(SlashCommand(word, "x"))["features"]["slash_commands"]) == 1


def test_an_entry_shows_what_the_command_takes() -> None:
    (_, deploy) = app(SlashCommand("deploy", "Put it there.", "APP [ENV=prod]"))["features"]["slash_commands"]

    assert deploy == {
        "command": "/deploy", "description": "Put it there.", "usage_hint": "APP [ENV=prod]", "should_escape": True,
    }  # fmt: skip


def test_in_socket_mode_the_program_calls_slack() -> None:
    written = app()

    assert written["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(written)


def test_over_http_slack_calls_the_addresses_of_the_door() -> None:
    written = app(url="https://alerts.example.org/")

    settings, hooks = written["settings"], "https://alerts.example.org/hooks/slack"
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == f"{hooks}/events"
    assert settings["interactivity"] == {"is_enabled": True, "request_url": f"{hooks}/interactive"}
    assert [each["url"] for each in written["features"]["slash_commands"]] == [f"{hooks}/commands"]


def test_people_can_write_to_the_app_and_it_hears_them() -> None:
    written = app()

    assert written["features"]["app_home"]["messages_tab_read_only_enabled"] is False
    assert set(written["settings"]["event_subscriptions"]["bot_events"]) == {
        "app_mention", "message.channels", "message.groups", "message.im", "user_change", "subteam_members_changed",
    }  # fmt: skip


def test_all_scopes_are_asked_for_and_the_optional_ones_are_marked() -> None:
    scopes = app()["oauth_config"]["scopes"]

    assert set(scopes["bot"]) == {*SCOPES, *CHAT_SCOPES}
    assert set(scopes["bot_optional"]) == OPTIONAL
    assert len(scopes["bot"]) == len(set(scopes["bot"]))


def test_without_the_chat_the_app_only_posts() -> None:
    written = app(has_chat=False)

    assert written["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert not {"event_subscriptions", "interactivity"} & set(written["settings"])
    assert "slash_commands" not in written["features"]
    assert written["settings"]["socket_mode_enabled"] is False
