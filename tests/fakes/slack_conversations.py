"""The methods of the fake Slack that read and open conversations and find users, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.fakes.slack_rules import Json, SlackError, is_true, is_ts, require_scopes, required_text
from tests.fakes.slack_shapes import channel_shape, direct_shape, message_shape, user_shape
from tests.fakes.slack_workspace import Posted, Workspace

Item = TypeVar("Item")


def list_conversations(workspace: Workspace, arguments: Json) -> Json:
    kinds = str(arguments.get("types") or "public_channel").split(",")
    scopes = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}
    for kind in (each.strip() for each in kinds):
        if kind not in scopes:
            raise SlackError("invalid_types")
        require_scopes(scopes[kind], frozenset(workspace.scopes))
    shapes = [channel_shape(workspace, each) for each in (*workspace.channels, *workspace.conversations)]
    shown = [each for each in shapes if each is not None and _kind(each) in kinds]
    if is_true(arguments.get("exclude_archived")):
        shown = [each for each in shown if not each["is_archived"]]
    page, cursor = _page(shown, arguments, largest=1000)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


def _kind(shape: Json) -> str:
    if shape["is_im"]:
        return "im"
    if shape.get("is_mpim"):
        return "mpim"
    return "private_channel" if shape["is_private"] else "public_channel"


def conversation(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.visible(required_text(arguments, "channel", error="channel_not_found"))
    _require_for(workspace, channel, "read")
    return {"channel": channel_shape(workspace, channel)}


def history(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.readable(required_text(arguments, "channel", error="channel_not_found"))
    _require_for(workspace, channel, "history")
    is_within = _within(arguments)
    inside = [each for each in workspace.messages if each.channel == channel and is_within(each)]
    top = [each for each in inside if each.broadcast or each.thread_ts in (None, each.ts)]
    newest_first = sorted(top, key=lambda each: float(each.ts), reverse=True)
    return {**_messages(workspace, arguments, newest_first), "pin_count": 0}


def replies(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.readable(required_text(arguments, "channel", error="channel_not_found"))
    _require_for(workspace, channel, "history")
    thread = required_text(arguments, "ts", error="thread_not_found")
    if workspace.message(channel, thread) is None:
        raise SlackError("thread_not_found")
    inside = [each for each in workspace.messages if each.channel == channel and thread in (each.ts, each.thread_ts)]
    is_within = _within(arguments)
    return _messages(workspace, arguments, [each for each in inside if each.ts == thread or is_within(each)])


def _messages(workspace: Workspace, arguments: Json, messages: Sequence[Posted]) -> Json:
    page, cursor = _page(messages, arguments, largest=999)
    metadata = is_true(arguments.get("include_all_metadata"))
    shapes = [message_shape(workspace, each, metadata=metadata) for each in page]
    return {"messages": shapes, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _within(arguments: Json) -> Callable[[Posted], bool]:
    for name in ("oldest", "latest"):
        if arguments.get(name) is not None and not is_ts(arguments[name]):
            raise SlackError(f"invalid_ts_{name}")
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    inclusive = is_true(arguments.get("inclusive"))
    return lambda message: oldest < float(message.ts) < latest or (inclusive and float(message.ts) in (oldest, latest))


def open_conversation(workspace: Workspace, arguments: Json) -> Json:
    if arguments.get("channel"):
        channel = workspace.visible(str(arguments["channel"]))
        if channel not in workspace.conversations:
            raise SlackError("method_not_supported_for_channel_type")
        return {"no_op": True, "already_open": True, "channel": {"id": channel}}
    users = tuple(each.strip() for each in str(arguments.get("users") or "").split(",") if each.strip())
    if not users:
        raise SlackError("users_list_not_supplied")
    if any(each not in workspace.users for each in users):
        raise SlackError("user_not_found")
    if len(users) > 8:
        raise SlackError("too_many_users")
    channel, was_open = workspace.open(users)
    shown = direct_shape(workspace, channel) if is_true(arguments.get("return_im")) else {"id": channel}
    return {"channel": shown, **({"no_op": True, "already_open": True} if was_open else {})}


def list_users(workspace: Workspace, arguments: Json) -> Json:
    page, cursor = _page([user_shape(workspace, each) for each in workspace.users], arguments, largest=1000)
    return {"members": page, "cache_ts": int(workspace.now()), "response_metadata": {"next_cursor": cursor}}


def user_by_email(workspace: Workspace, arguments: Json) -> Json:
    for user in (user_shape(workspace, each) for each in workspace.users):
        if user["profile"]["email"] == arguments.get("email"):
            return {"user": user}
    raise SlackError("users_not_found")


def user_info(workspace: Workspace, arguments: Json) -> Json:
    user = required_text(arguments, "user", error="user_not_found")
    if user in workspace.hidden:
        raise SlackError("user_not_visible")
    if user not in workspace.users:
        raise SlackError("user_not_found")
    return {"user": user_shape(workspace, user)}


def group_members(workspace: Workspace, arguments: Json) -> Json:
    group = required_text(arguments, "usergroup", error="invalid_arguments")
    if workspace.groups is None:
        raise SlackError("plan_upgrade_required")
    if group not in workspace.groups:
        raise SlackError("no_such_subteam")
    return {"users": list(workspace.groups[group])}


def _require_for(workspace: Workspace, channel: str, act: str) -> None:
    kind = "im" if channel.startswith("D") else "groups" if channel in workspace.private else "channels"
    require_scopes(f"{kind}:{act}", frozenset(workspace.scopes))


def _page(items: Sequence[Item], arguments: Json, *, largest: int) -> tuple[list[Item], str]:
    limit = str(arguments.get("limit") or 100)
    if not limit.isdigit() or not 0 < int(limit) <= largest:
        raise SlackError("invalid_limit")
    try:
        start = int(base64.b64decode(str(arguments.get("cursor") or ""), validate=True).decode().partition(":")[2] or 0)
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None
    end = start + int(limit)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), cursor
