"""The methods of the fake Slack that post, change and react to messages."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.slack_rules import (
    TEXT_LIMIT,
    UPDATE_TEXT_LIMIT,
    Json,
    SlackError,
    check_content,
    check_metadata,
    invalid_arguments,
    is_true,
    is_ts,
    parsed,
    require_scopes,
    required_text,
)
from tests.fakes.slack_shapes import message_shape
from tests.fakes.slack_workspace import BOT_USER, Posted, Workspace


def post_message(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.writable(workspace.address(required_text(arguments, "channel", error="channel_not_found")))
    check_content(arguments, text_limit=None)
    if any(arguments.get(name) for name in ("username", "icon_emoji", "icon_url")):
        require_scopes("chat:write.customize", frozenset(workspace.scopes))
    message = workspace.post(replace(new_message(workspace, arguments), channel=channel))
    answer: Json = {"channel": channel, "ts": message.ts, "message": message_shape(workspace, message, metadata=True)}
    if len(arguments.get("text") or "") > TEXT_LIMIT:
        answer |= {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return answer


def new_message(workspace: Workspace, arguments: Json) -> Posted:
    metadata = parsed(arguments, "metadata", error="invalid_metadata_format")
    if metadata is not None:
        check_metadata(metadata)
    thread_ts = arguments.get("thread_ts")
    if thread_ts is not None and not is_ts(thread_ts):
        raise invalid_arguments("must be a timestamp [json-pointer:/thread_ts]")
    return Posted(
        channel="",
        text=(arguments.get("text") or arguments.get("markdown_text") or "")[:TEXT_LIMIT],
        ts=workspace.next_ts(),
        at=workspace.now(),
        blocks=parsed(arguments, "blocks", error="invalid_blocks_format"),
        attachments=parsed(arguments, "attachments", error="invalid_attachments"),
        thread_ts=thread_ts,
        metadata=metadata,
        username=arguments.get("username"),
        icon_emoji=arguments.get("icon_emoji"),
        icon_url=arguments.get("icon_url"),
        broadcast=is_true(arguments.get("reply_broadcast")),
    )


def update(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.visible(required_text(arguments, "channel", error="channel_not_found"))
    message = workspace.message(channel, required_text(arguments, "ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != BOT_USER:
        raise SlackError("cant_update_message")
    if channel in workspace.archived:
        raise SlackError("is_inactive")
    check_content(arguments, text_limit=UPDATE_TEXT_LIMIT)
    message = workspace.edit(message, _changed(message, arguments))
    shape = message_shape(workspace, message, metadata=True)
    kept = ("type", "user", "bot_id", "app_id", "team", "text", "blocks", "metadata", "edited")
    shown = {name: shape[name] for name in kept if name in shape}
    return {"channel": channel, "ts": message.ts, "text": message.text, "message": shown}


def _changed(message: Posted, arguments: Json) -> Posted:
    changed = message
    if "metadata" in arguments:
        metadata = parsed(arguments, "metadata", error="invalid_metadata_format")
        if metadata:
            check_metadata(metadata)
        changed = replace(changed, metadata=metadata or None)
    if "text" in arguments:
        changed = replace(changed, text=arguments["text"], blocks=None)
    if "blocks" in arguments:
        changed = replace(changed, blocks=parsed(arguments, "blocks", error="invalid_blocks_format") or None)
    if "attachments" in arguments:
        changed = replace(changed, attachments=parsed(arguments, "attachments", error="invalid_attachments") or None)
    return changed


def react(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.readable(required_text(arguments, "channel", error="channel_not_found"))
    if workspace.message(channel, str(arguments.get("timestamp"))) is None:
        raise SlackError("message_not_found")
    reaction = (channel, str(arguments["timestamp"]), required_text(arguments, "name", error="no_reaction"))
    if reaction in workspace.reactions:
        raise SlackError("already_reacted")
    workspace.reactions.add(reaction)
    return {}
