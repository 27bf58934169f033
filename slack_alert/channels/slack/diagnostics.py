"""Check beforehand everything for which Slack could refuse messages: token, scopes, clock and conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from slack_alert.channels.slack.client import Client, SlackResponse
from slack_alert.channels.slack.directory import Directory
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.finding import SlackFinding
from slack_alert.channels.slack.manifest import REQUIRED, SCOPES
from slack_alert.core.units.names import nearest

if TYPE_CHECKING:
    from slack_alert.channels.slack.chat_diagnostics import ChatNeeds

MAX_SKEW = timedelta(seconds=30)


async def check(
    client: Client,
    directory: Directory,
    conversations: Sequence[str],
    *,
    now: datetime,
    chat: ChatNeeds | None = None,
) -> list[SlackFinding]:
    """Return findings about token, scopes, clock and conversations; about the token only, where that is refused.

    `chat`: what people may do in Slack, where they are let in.
    """
    try:
        answer = await client.query("auth.test", {})
    except RefusedError as refused:
        return [SlackFinding("error", f"token: Slack says {refused.code}", refused.outcome.hint)]
    scopes = frozenset(_split_scopes(answer.headers.get("x-oauth-scopes", "")))
    findings = [_token(answer.content), *_scopes(scopes), *_clock(answer, now)]
    if chat is not None:
        from slack_alert.channels.slack.chat_diagnostics import check_chat  # Few programs have a door.

        findings += await check_chat(client, chat, scopes)
    return findings + [await _conversation(client, directory, name, scopes=scopes) for name in conversations]


def _token(said: Mapping[str, Any]) -> SlackFinding:
    return SlackFinding("ok", f"token: {said.get('user', '?')} in {said.get('team', '?')} ({said.get('url', '?')})")


def _scopes(granted: frozenset[str]) -> list[SlackFinding]:
    if not granted:
        return [SlackFinding("warning", "scopes: Slack did not say which the token has", "use a bot token (xoxb-)")]
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        return [SlackFinding("ok", f"scopes: all {len(SCOPES)} granted")]
    action = "add it under OAuth & Permissions and install the app again (slack-alert manifest has all of them)"
    return [
        SlackFinding("error" if scope in REQUIRED else "warning", f"scope {scope} is missing, {SCOPES[scope]}", action)
        for scope in missing
    ]


def _clock(answer: SlackResponse, now: datetime) -> list[SlackFinding]:
    from email.utils import parsedate_to_datetime

    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return []
    ahead = now - theirs
    if abs(ahead) <= MAX_SKEW:
        return [SlackFinding("ok", "clock: agrees with Slack's")]
    side = "ahead of" if ahead > timedelta() else "behind"
    what = f"clock: {abs(ahead).total_seconds():.0f} s {side} Slack's"
    return [SlackFinding("warning", what, "set this machine's clock by NTP: jobs run at the wrong times")]


async def _conversation(client: Client, directory: Directory, name: str, *, scopes: frozenset[str]) -> SlackFinding:
    try:
        channel = await directory.channel_id(name)
        if name[:1] in "@UWD":
            return SlackFinding("ok", f"{name}: can be written to")
        answer = await client.query("conversations.info", {"channel": channel}, to=name)
    except RefusedError as refused:
        return await _unreachable(directory, name, refused)
    return _membership(name, answer.content.get("channel") or {}, scopes)


async def _unreachable(directory: Directory, name: str, refused: RefusedError) -> SlackFinding:
    if refused.code == "missing_scope":
        return SlackFinding("warning", f"{name}: could not be examined", refused.outcome.hint)
    meant = None
    if refused.code == "channel_not_found" and name.startswith("#"):
        meant = nearest(name[1:], await _names(directory))
    hint = f"did you mean #{meant}? {refused.outcome.hint}" if meant else refused.outcome.hint
    return SlackFinding("error", f"{name}: Slack says {refused.code}", hint)


async def _names(directory: Directory) -> list[str]:
    try:
        return await directory.channel_names()
    except RefusedError:
        return []


def _membership(name: str, channel: Mapping[str, Any], scopes: frozenset[str]) -> SlackFinding:
    invite = f"invite the app: /invite @slack-alert in {name}"
    if channel.get("is_archived"):
        return SlackFinding("error", f"{name}: archived", "unarchive it, or set another `channel`")
    if channel.get("is_member") or channel.get("is_im"):
        return SlackFinding("ok", f"{name}: the app is a member")
    if channel.get("is_private") or "chat:write.public" not in scopes:
        return SlackFinding("error", f"{name}: the app is not a member", invite)
    return SlackFinding(
        "warning", f"{name}: the app may post, but not upload files or look whether a message arrived", invite
    )


def _split_scopes(header: str) -> list[str]:
    return [scope.strip() for scope in header.split(",") if scope.strip()]
