"""Translate payloads of Slack's, the same at every door of Slack; what is none of what a person says is None.

Payloads are written by strangers: whatever is missing, of another type, too long or no text is None, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ButtonPress, ChatMessage, Identity, ReplyTo
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: In characters; Slack cuts what people write off at this length.
MAX_TEXT = 40_000
#: In characters; of a button's value, by Slack's own limit.
MAX_VALUE = 2_000


class SlackInstallation(Struct, frozen=True):
    """The app in its workspace, as `auth.test` tells."""

    team: str
    #: The user id of the bot.
    user: str
    #: The organization of the workspace; empty where it is in none.
    enterprise: str = ""
    #: Whether the app is installed to the whole organization.
    is_organization_wide: bool = False


class Arrival(Struct, frozen=True):
    """Where and when a payload has come, and for whom."""

    installation: SlackInstallation
    #: The door's name.
    door: str
    at: datetime
    #: The slash command whose text is a whole line, such as `/slack-alert`; others are the first word of theirs.
    command: str = ""


class DirectoryChange(Struct, frozen=True):
    """An account or a user group of which something has changed."""

    user: str = ""
    group: str = ""


Translated: TypeAlias = ChatMessage | ButtonPress | DirectoryChange


def translate(kind: str, payload: object, arrival: Arrival) -> Translated | None:
    """Return what a payload says; `kind` is the type of its envelope in Socket Mode.

    `events_api`: the body of the Events API. `slash_commands`: the form of a slash command. `interactive`: the payload
    of an interaction.
    """
    read = _KINDS.get(kind)
    if read is None or not isinstance(payload, dict):
        return None
    return read(payload, arrival)


def message_id(team: str, channel: str, ts: str) -> str:
    """Return the id of a message, by whichever event and door it comes; `team` is the installation's."""
    return f"slack:{team}/{channel}/{ts}"


def moment(ts: str) -> datetime | None:
    """Return the time of a `ts`, or None if it is not one."""
    if not _TS.fullmatch(ts):
        return None
    seconds, _, fraction = ts.partition(".")
    try:
        return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction[:6].ljust(6, "0")))
    except OverflowError:
        return None


def plain_text(text: str) -> str:
    """Return a text as it was typed: links and entities undone; mentions of people, groups and channels stay."""
    parts, end = [], 0
    for found in _MARKUP.finditer(text):
        parts += [text[end : found.start()], _as_typed(found[0], found[1], found[2] or "")]
        end = found.end()
    whole = "".join([*parts, text[end:]])
    return whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


_Payload: TypeAlias = Mapping[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TS = lazy_pattern(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_ID = lazy_pattern(r"[A-Za-z0-9._-]{1,100}")
_MARKUP = lazy_pattern(r"<((?:[@#!]|[A-Za-z][A-Za-z0-9+.-]{0,20}:)[^<>|\n]*)(?:\|([^<>\n]*))?>")
_MENTION = lazy_pattern(r"\s*<@([A-Z0-9]+)(?:\|[^<>\n]*)?>[\s:,：，]*")
#: Messages of people that have a subtype: with a file, and a reply that is shown in the channel as well.
_SUBTYPES = frozenset({"", "file_share", "thread_broadcast"})
#: The user of messages by Slack itself.
_SLACKBOT = "USLACKBOT"


def _event(body: _Payload, arrival: Arrival) -> Translated | None:
    event = body.get("event")
    if body.get("type") != "event_callback" or not isinstance(event, dict):
        return None
    kind = event.get("type")
    if kind in ("message", "app_mention"):
        return _message(body, event, arrival)
    if kind in ("user_change", "user_profile_changed", "team_join"):
        user = _id(event, "user", "id")
        return DirectoryChange(user=user) if user else None
    if kind in ("subteam_members_changed", "subteam_updated"):
        group = _id(event, "subteam_id") or _id(event, "subteam", "id")
        return DirectoryChange(group=group) if group else None
    return None


def _message(body: _Payload, event: _Payload, arrival: Arrival) -> ChatMessage | None:
    channel, user, ts = _id(event, "channel"), _id(event, "user"), _id(event, "ts")
    # In a channel that is shared with another workspace, `team_id` of the body may be that of either.
    home = ((event, "user_team"), (event, "source_team"), (event, "team"), (body, "team_id"))
    team = next(filter(None, (_id(where, name) for where, name in home)), "")
    at, text = moment(ts), _text(event, "text")
    if not (channel and user and team) or at is None or text is None:
        return None
    if not _is_of_person(event) or user in (arrival.installation.user, _SLACKBOT):
        return None
    text, is_mention = _without_mention(text, arrival.installation.user)
    thread = _id(event, "thread_ts")
    event_id = _id(body, "event_id")
    return ChatMessage(
        ids=(
            *((f"slack:event/{event_id}",) if event_id else ()),
            message_id(arrival.installation.team, channel, ts),
        ),
        at=at,
        by=Identity("slack", team, user),
        reply_to=ReplyTo(Address("slack", channel), f"{channel}/{thread if moment(thread) else ts}"),
        text=plain_text(text),
        door=arrival.door,
        is_direct=event.get("channel_type") == "im" or channel.startswith("D"),
        is_mention=is_mention,
    )


def _is_of_person(event: _Payload) -> bool:
    """Return whether a person has just written it: an edit that adds a mention comes as a mention with `edited`."""
    if any(event.get(name) for name in ("bot_id", "bot_profile", "hidden", "edited")):
        return False
    subtype = event.get("subtype") or ""
    return isinstance(subtype, str) and subtype in _SUBTYPES


def _without_mention(text: str, user: str) -> tuple[str, bool]:
    """Return the text after the mentions of this user that it begins with, and whether there are any."""
    at = 0
    while (found := _MENTION.match(text, at)) and found[1] == user:
        at = found.end()
    return text[at:], at > 0


def _slash(form: _Payload, arrival: Arrival) -> ChatMessage | None:
    channel, user, team = _id(form, "channel_id"), _id(form, "user_id"), _id(form, "team_id")
    command, text = _text(form, "command", most=100), _text(form, "text")
    if not (channel and user and team and command) or text is None:
        return None
    name = command.removeprefix("/")
    is_whole_line = name.casefold() == arrival.command.removeprefix("/").casefold()
    line = text if is_whole_line else f"{name} {text}".rstrip()
    trigger = _id(form, "trigger_id")
    known_by = trigger or f"{team}/{user}/{name}/{arrival.at.timestamp():.0f}"
    return ChatMessage(
        ids=(f"slack:slash/{known_by}",),
        at=arrival.at,
        by=Identity("slack", team, user, _name(form, "user_name")),
        reply_to=ReplyTo(Address("slack", channel), response_url=_url(form, "response_url")),
        text=plain_text(line),
        door=arrival.door,
        is_direct=channel.startswith("D"),
        is_slash=True,
    )


def _interaction(payload: _Payload, arrival: Arrival) -> ButtonPress | None:
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not actions:
        return None
    action = actions[0]
    if not isinstance(action, dict):
        return None
    pressed = _text(action, "action_id", most=255)
    value = _chosen(action)
    user, team = _id(payload, "user", "id"), _id(payload, "user", "team_id") or _id(payload, "team", "id")
    channel = _id(payload, "channel", "id") or _id(payload, "container", "channel_id")
    ts = _id(action, "action_ts")
    at = moment(ts)
    if not (pressed and user and team and channel) or value is None or at is None:
        return None
    message, thread = _pressed_message(payload)
    return ButtonPress(
        ids=(f"slack:click/{ts}/{user}/{pressed}",),
        at=at,
        by=Identity("slack", team, user, _name(payload, "user", "name")),
        reply_to=ReplyTo(
            Address("slack", channel), f"{channel}/{thread}" if thread else "", _url(payload, "response_url")
        ),
        door=arrival.door,
        action=pressed,
        value=value,
        message=f"{channel}/{message}" if message else "",
    )


def _chosen(action: _Payload) -> str | None:
    """Return the value of a button, or of what was chosen from a list."""
    return _text(action if "value" in action else action.get("selected_option"), "value", most=MAX_VALUE)


def _pressed_message(payload: _Payload) -> tuple[str, str]:
    """Return the `ts` of the message with the button, and of its thread; of one shown to one person there is none."""
    thread = _id(payload, "container", "thread_ts") or _id(payload, "message", "thread_ts")
    container = payload.get("container")
    if isinstance(container, dict) and container.get("is_ephemeral"):
        return "", thread if moment(thread) else ""
    message = _id(payload, "container", "message_ts") or _id(payload, "message", "ts")
    message = message if moment(message) else ""
    return message, thread if moment(thread) else message


_KINDS: Mapping[str, Callable[[_Payload, Arrival], Translated | None]] = {
    "events_api": _event,
    "slash_commands": _slash,
    "interactive": _interaction,
}


def _as_typed(whole: str, target: str, label: str) -> str:
    """Return what was typed for a piece of markup: Slack makes links of bare hosts and of e-mail addresses."""
    if target[0] in "@#":
        return whole
    if target[0] == "!":
        special = target[1:].partition("^")[0]
        return whole if special == "subteam" else label or f"@{special}"
    return label if label and target.partition(":")[2].lstrip("/").rstrip("/") == label.rstrip("/") else target


def _text(content: object, *path: str, most: int = MAX_TEXT) -> str | None:
    """Return the text at a path, empty where there is none; None for what is no text, or no text of Unicode."""
    for name in path:
        if content is not None and not isinstance(content, dict):
            return None
        content = content.get(name) if content else None
    if content is None:
        return ""
    return content if isinstance(content, str) and len(content) <= most and _is_unicode(content) else None


def _id(content: object, *path: str) -> str:
    text = _text(content, *path, most=100) or ""
    return text if _ID.fullmatch(text) else ""


def _name(content: object, *path: str) -> str:
    return _text(content, *path, most=100) or ""


def _url(content: object, *path: str) -> str:
    text = _text(content, *path, most=2_000) or ""
    return text if text.startswith(("https://", "http://")) else ""


def _is_unicode(text: str) -> bool:
    """Return whether it can be stored: JSON can write half a pair of surrogates."""
    return text.isascii() or not _SURROGATE.search(text)


_SURROGATE = lazy_pattern("[\ud800-\udfff]")
