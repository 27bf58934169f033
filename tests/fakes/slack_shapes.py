"""The shapes in which the fake Slack shows messages, channels, users and files."""

from __future__ import annotations

from tests.fakes.slack_rules import Json
from tests.fakes.slack_workspace import APP, BOT, BOT_USER, TEAM, Posted, Upload, Workspace

_BORN = 1_700_000_000


def identity(workspace: Workspace) -> Json:
    enterprise = {"enterprise_id": workspace.enterprise} if workspace.enterprise else {}
    return {
        **enterprise,
        "url": "https://testing.slack.com/",
        "team": "Testing",
        "user": "slack-alert",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def message_shape(workspace: Workspace, message: Posted, *, metadata: bool) -> Json:
    """Show a message; its metadata only where it was asked for."""
    shape: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": TEAM}
    if message.user == BOT_USER:
        shape |= _authorship(message)
    if message.blocks:
        shape["blocks"] = [{"block_id": f"b{number}", **block} for number, block in enumerate(message.blocks)]
    if message.attachments:
        shape["attachments"] = [{"id": number, **each} for number, each in enumerate(message.attachments, start=1)]
    if message.edited:
        shape["edited"] = {"user": message.user, "ts": message.ts}
    if metadata and message.metadata:
        shape["metadata"] = message.metadata
    if message.files:
        ids = {upload.filename: upload.id for upload in workspace.uploads.values()}
        shape["files"] = [{"id": ids[name], "name": name} for name in message.files]
    return shape | _thread(workspace, message)


def channel_shape(workspace: Workspace, channel: str) -> Json | None:
    """Show a channel or a direct conversation; nothing for a private channel without the bot."""
    if channel in workspace.conversations:
        direct = len(workspace.conversations[channel]) == 1
        return {**direct_shape(workspace, channel), "is_im": direct, "is_mpim": not direct, "is_private": True}
    private, member = channel in workspace.private, channel not in workspace.absent
    if private and not member:
        return None
    return {
        "id": channel,
        "name": workspace.channels[channel],
        "name_normalized": workspace.channels[channel],
        "is_channel": not private,
        "is_group": private,
        "is_im": False,
        "is_mpim": False,
        "is_private": private,
        "is_archived": channel in workspace.archived,
        "is_general": False,
        "is_member": member,
        "created": _BORN,
        "creator": BOT_USER,
    }


def direct_shape(workspace: Workspace, channel: str) -> Json:
    """Show a direct conversation as conversations.open does, which has fewer fields than the list."""
    users = workspace.conversations[channel]
    return {
        "id": channel,
        "created": _BORN,
        "is_im": len(users) == 1,
        "is_archived": False,
        "is_org_shared": False,
        "user": users[0],
        "is_open": True,
        "priority": 0,
    }


def user_shape(workspace: Workspace, user: str) -> Json:
    name = workspace.users[user]
    return {
        "id": user,
        "team_id": TEAM,
        "name": name,
        "deleted": False,
        "real_name": name.capitalize(),
        "is_bot": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "updated": _BORN,
        "profile": {"real_name": name.capitalize(), "display_name": name, "email": f"{name}@example.com"},
        **workspace.accounts.get(user, {}),
    }


def file_shape(upload: Upload) -> Json:
    return {
        "id": upload.id,
        "created": _BORN,
        "name": upload.filename,
        "title": upload.title or upload.filename,
        "size": upload.length,
        "user": BOT_USER,
        "channels": [],
    }


def _authorship(message: Posted) -> Json:
    profile = {"id": BOT, "deleted": False, "name": "slack-alert", "updated": _BORN, "app_id": APP, "team_id": TEAM}
    shape: Json = {"bot_id": BOT, "app_id": APP, "bot_profile": profile}
    if message.username:
        shape |= {"subtype": "bot_message", "username": message.username}
    if message.icon_emoji:
        shape["icons"] = {"emoji": message.icon_emoji}
    elif message.icon_url:
        shape["icons"] = {"image_64": message.icon_url}
    return shape


def _thread(workspace: Workspace, message: Posted) -> Json:
    if message.thread_ts:
        return {"thread_ts": message.thread_ts, "parent_user_id": BOT_USER}
    replies = workspace.replies.get((message.channel, message.ts))
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1]}
