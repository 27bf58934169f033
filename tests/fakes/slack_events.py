"""What Slack tells an app, as pure shapes: events, slash commands and pressed buttons."""

from __future__ import annotations

from tests.fakes.slack_rules import Json
from tests.fakes.slack_workspace import APP, BOT, BOT_USER, TEAM


def event_body(event: Json, *, event_id: str, at: float, team: str = TEAM) -> Json:
    """Return the body of the Events API, which Socket Mode carries as the payload of an envelope."""
    return {
        "token": "verification-is-deprecated",
        "team_id": team,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6Im1lc3NhZ2UifQ",
    }


def message_event(
    text: str, *, user: str, channel: str, ts: str, thread: str | None = None, channel_type: str = "channel"
) -> Json:
    """Return the event of a message that a person has written."""
    return {
        "user": user,
        "type": "message",
        "ts": ts,
        "client_msg_id": f"00000000-0000-4000-8000-{ts.replace('.', '')[-12:]:0>12}",
        "text": text,
        "team": TEAM,
        "blocks": [{"type": "rich_text", "block_id": "b0", "elements": []}],
        "channel": channel,
        "event_ts": ts,
        "channel_type": channel_type,
        **({"thread_ts": thread, "parent_user_id": user} if thread else {}),
    }


def mention_event(message: Json) -> Json:
    """Return the second event of a message that mentions the app; it does not say what kind of channel it is in."""
    return {**{name: value for name, value in message.items() if name != "channel_type"}, "type": "app_mention"}


def edit_event(message: Json, text: str, *, at: str) -> Json:
    """Return the event of an edit."""
    edited = {**message, "text": text, "edited": {"user": message["user"], "ts": at}}
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": {name: value for name, value in edited.items() if name not in ("channel", "channel_type")},
        "previous_message": message,
        "channel": message["channel"],
        "hidden": True,
        "ts": at,
        "event_ts": at,
        "channel_type": message.get("channel_type", "channel"),
    }


def bot_event(text: str, *, channel: str, ts: str, user: str = BOT_USER, bot: str = BOT) -> Json:
    """Return the event of a message that an app has posted."""
    profile = {"id": bot, "deleted": False, "name": "some-app", "updated": 1_700_000_000, "app_id": APP}
    return {**message_event(text, user=user, channel=channel, ts=ts), "bot_id": bot, "bot_profile": profile}


def slash_form(
    command: str, text: str, *, user: str, name: str, channel: str, channel_name: str, trigger: str, response_url: str
) -> Json:
    """Return the form of a slash command, which Socket Mode carries as an object."""
    return {
        "token": "verification-is-deprecated",
        "team_id": TEAM,
        "team_domain": "testing",
        "channel_id": channel,
        "channel_name": channel_name,
        "user_id": user,
        "user_name": name,
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def press_payload(
    action: str, value: str, *, user: str, name: str, message: Json, channel: str, channel_name: str, at: str,
    trigger: str, response_url: str, ephemeral: bool = False,
) -> Json:  # fmt: skip
    """Return the payload of a button that somebody has pressed; `message` is the shape of the one it is in."""
    thread = {"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": name, "name": name, "team_id": TEAM},
        "api_app_id": APP,
        "token": "verification-is-deprecated",
        "container": {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel,
            "is_ephemeral": ephemeral,
            **thread,
        },
        "trigger_id": trigger,
        "team": {"id": TEAM, "domain": "testing"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": channel_name},
        **({} if ephemeral else {"message": message}),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [
            {
                "action_id": action,
                "block_id": "b0",
                "text": {"type": "plain_text", "text": action, "emoji": True},
                "value": value,
                "type": "button",
                "action_ts": at,
            }
        ],
    }
