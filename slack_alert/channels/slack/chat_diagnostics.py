"""Check beforehand why people might not be heard in Slack: the app token, scopes, channels, and ids in roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slack_alert.channels.slack.app_token import app_token_hint
from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.finding import Level, SlackFinding
from slack_alert.channels.slack.manifest import CHAT_SCOPES
from slack_alert.core.structs import Struct

#: Channels that are named in a finding.
_MOST_NAMED = 10
_MOST_PAGES = 20
_INSTALL = "add it under OAuth & Permissions and install the app again (slack-alert manifest has all of them)"
_INVITE = "write /invite @slack-alert in the channels where it shall take commands"


class ChatNeeds(Struct, frozen=True):
    """What the configuration lets people do in Slack."""

    #: Ids of people and of user groups that roles name.
    people: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


async def check_chat(client: Client, needs: ChatNeeds, scopes: frozenset[str]) -> list[SlackFinding]:
    """Return findings about scopes, the app's channels, and the ids that roles name."""
    found = [*_scopes(needs, scopes), *await _channels(client, scopes)]
    if "users:read" in scopes:
        found += [each for user in needs.people if (each := await _person(client, user)) is not None]
    if "usergroups:read" in scopes:
        found += [each for group in needs.groups if (each := await _group(client, group)) is not None]
    return found


async def check_app_token(app: Client) -> SlackFinding:
    """Return whether Slack opens a socket for an app-level token."""
    try:
        await app.query("apps.connections.open", {})
    except RefusedError as refused:
        hint = app_token_hint(refused.code) or refused.outcome.hint
        return SlackFinding("error", f"app_token: Slack says {refused.code}", hint)
    return SlackFinding("ok", "app_token: Socket Mode is open")


def _scopes(needs: ChatNeeds, scopes: frozenset[str]) -> Iterator[SlackFinding]:
    if not scopes:  # The token is not an app's own; that is told already.
        return
    for scope, lack in CHAT_SCOPES.items():
        if scope not in scopes and (needs.groups or scope != "usergroups:read"):
            level: Level = "error" if scope == "users:read" else "warning"
            yield SlackFinding(level, f"scope {scope} is missing: {lack}", _INSTALL)


async def _channels(client: Client, scopes: frozenset[str]) -> list[SlackFinding]:
    """Return in which channels the app hears people; nothing where a missing scope keeps that from us."""
    kinds = {"public_channel": "channels:read", "private_channel": "groups:read"}
    types = ",".join(kind for kind, scope in kinds.items() if scope in scopes)
    if not types:
        return []
    arguments = {"types": types, "exclude_archived": "true", "limit": "1000"}
    try:
        names = [
            name
            async for page in client.pages("conversations.list", arguments, most=_MOST_PAGES)
            for name in _own(page)
        ]
    except RefusedError as refused:
        return [SlackFinding("warning", f"channels: Slack says {refused.code}", refused.outcome.hint)]
    if not names:
        return [SlackFinding("warning", "channels: the app is in none, so it hears direct messages only", _INVITE)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    shown = ", ".join(f"#{name}" for name in names[:_MOST_NAMED])
    return [SlackFinding("ok", f"channels: the app hears people in {shown}{more}")]


def _own(page: Mapping[str, Any]) -> Iterator[str]:  # Any: JSON of Slack's
    for channel in page.get("channels") or []:
        if isinstance(channel, dict) and channel.get("is_member"):
            yield str(channel.get("name") or channel.get("id"))


async def _person(client: Client, user: str) -> SlackFinding | None:
    try:
        account = (await client.query("users.info", {"user": user}, to=user)).content.get("user") or {}
    except RefusedError as refused:
        if refused.code not in ("user_not_found", "user_not_visible"):
            return SlackFinding(
                "warning", f"roles: {user} could not be looked up: {refused.code}", refused.outcome.hint
            )
        action = "take the member ID from the person's profile: Copy member ID"
        return SlackFinding("error", f"roles: Slack knows nobody with the id {user}", action)
    if account.get("deleted"):
        return SlackFinding(
            "warning", f"roles: the account {user} ({account.get('name', '?')}) is disabled", "take it out"
        )
    return None


async def _group(client: Client, group: str) -> SlackFinding | None:
    try:
        await client.query("usergroups.users.list", {"usergroup": group}, to=group)
    except RefusedError as refused:
        if refused.code == "no_such_subteam":
            action = "take the id from the address of the group's page; it begins with S"
            return SlackFinding("error", f"roles: Slack knows no user group with the id {group}", action)
        if refused.code == "plan_upgrade_required":
            action = "name people instead: user groups need a paid plan"
            return SlackFinding("error", f"roles: {group} lets nobody in: the workspace has no user groups", action)
        return SlackFinding("warning", f"roles: {group} could not be looked up: {refused.code}", refused.outcome.hint)
    return None
