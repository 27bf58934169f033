"""Translate what DingTalk tells a robot, the same at both doors; what is none of what a person says is None.

Payloads are written by strangers: whatever is missing, of another type, too long or no text is None, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from slack_alert.channels.dingtalk.inbound.identities import is_staff, member, stranger
from slack_alert.channels.dingtalk.inbound.reading import read_object
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ButtonPress, ChatMessage, Identity, ReplyTo
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: In characters; a message of DingTalk is shorter.
MAX_TEXT = 40_000
#: In characters.
MAX_VALUE = 2_000

#: What a person wrote to the robot, and what somebody pressed on a card of it.
MESSAGES, CARDS = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"


class RobotArrival(Struct, frozen=True):
    """Where and when a payload has come, and for whom."""

    #: The name of the robot in the configuration.
    robot: str
    #: The door's name.
    door: str
    at: datetime
    #: The corporation of the robot; empty: it is not known yet.
    corporation: str = ""
    #: What the payload itself is known by beside the ids in it: its frame, or its signature.
    known_by: str = ""


def translate(topic: str, payload: object, arrival: RobotArrival) -> ChatMessage | ButtonPress | None:
    """Return what a payload says; `topic` is that of its frame in Stream mode.

    What a button does and to what are the parameters `action` and `value` of its card; without the first it is the
    action's id. A picture, a recording, a file and a text with pictures in it say nothing: they are a message without
    a text, so that whoever addressed the robot by one is answered, and nothing in it is obeyed.
    """
    read = _TOPICS.get(topic)
    if read is None or not isinstance(payload, dict):
        return None
    return read(payload, arrival)


def robot_corporation(payload: object) -> str:
    """Return the corporation of the robot that was written to; empty where it is not told."""
    return _id(payload, "chatbotCorpId")


def moment(milliseconds: object) -> datetime | None:
    """Return the time so many milliseconds after 1970, which DingTalk writes as a number or as digits; else None."""
    if isinstance(milliseconds, str) and len(milliseconds) <= _DIGITS and milliseconds.isascii():
        milliseconds = int(milliseconds) if milliseconds.isdigit() else None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or not 0 < milliseconds < 10**_DIGITS:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


_Payload: TypeAlias = Mapping[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Enough until the year 2286.
_DIGITS = 13
_ID = lazy_pattern(r"[A-Za-z0-9._:$+/=-]{1,200}")
_CONVERSATION = lazy_pattern(r"cid[A-Za-z0-9+/=_-]{1,200}")
_DIRECT, _GROUP = "1", "2"
#: Messages that are not typed alone.
_WITHOUT_TEXT = frozenset({"richText", "picture", "audio", "video", "file"})


def _message(body: _Payload, arrival: RobotArrival) -> ChatMessage | None:
    number, conversation = _id(body, "msgId"), _conversation(body, "conversationId")
    kind, at, text = body.get("conversationType"), moment(body.get("createAt")), _said(body)
    by = _sender(body)
    if not (number and conversation) or by is None or at is None or text is None or kind not in (_DIRECT, _GROUP):
        return None
    is_direct = kind == _DIRECT
    place = f"@{by.user}" if is_direct and is_staff(by.user) else conversation
    called = not is_direct and is_staff(by.user)
    return ChatMessage(
        ids=(f"dingtalk:message/{number}", *filter(None, (arrival.known_by,))),
        at=at,
        by=by,
        # In a group, whoever asked is called by the answer.
        reply_to=ReplyTo(Address("dingtalk", f"{arrival.robot}/{place}"), f"@{by.user}" if called else ""),
        text=text,
        door=arrival.door,
        is_direct=is_direct,
        is_mention=body.get("isInAtList") is True,
    )


def _said(body: _Payload) -> str | None:
    """Return what was typed; None: nothing of the kinds that are known."""
    kind = body.get("msgtype")
    if kind == "text":
        text = _text(body, "text", "content") if isinstance(body.get("text"), dict) else None
        # DingTalk takes the mention of the robot off, and leaves the space behind it.
        return None if text is None else text.strip()
    return "" if isinstance(kind, str) and kind in _WITHOUT_TEXT else None


def _sender(body: _Payload) -> Identity | None:
    """Return who wrote it: a stranger where there is no staff id, or it is of another corporation than the robot."""
    staff, sender, home = _id(body, "senderStaffId"), _id(body, "senderId"), _id(body, "senderCorpId")
    name = _text(body, "senderNick", most=100) or ""
    if not (staff or sender) or (sender and sender == _id(body, "chatbotUserId")):
        return None
    if is_staff(staff) and home and home == robot_corporation(body):
        return member(home, staff, name)
    return stranger(home, sender or staff, name)


def _press(body: _Payload, arrival: RobotArrival) -> ButtonPress | None:
    card = _id(body, "outTrackId")
    pressed = _object(_object(body.get("content")).get("cardPrivateData"))
    params = _object(pressed.get("params"))
    action = _text(params, "action", most=255) or _first(pressed.get("actionIds"))
    value = _text(params, "value", most=MAX_VALUE)
    by, place = _presser(body, arrival), _place(body)
    if not (card and action and place and arrival.known_by) or by is None or value is None:
        return None
    return ButtonPress(
        ids=(arrival.known_by,),
        at=arrival.at,
        by=by,
        reply_to=ReplyTo(Address("dingtalk", f"{arrival.robot}/{place}")),
        door=arrival.door,
        action=action,
        value=value,
        message=card,
    )


def _presser(body: _Payload, arrival: RobotArrival) -> Identity | None:
    """Return who pressed: a stranger where the corporation of the robot is another, or is not known."""
    user, home, kind = _id(body, "userId"), _id(body, "corpId"), body.get("userIdType", 1)
    if not user:
        return None
    # The other type is an id that a person has everywhere.
    is_staff_id = is_staff(user) and kind in (1, "1") and not isinstance(kind, bool)
    is_member = is_staff_id and home == arrival.corporation != ""
    return member(home, user) if is_member else stranger(home, user)


def _place(body: _Payload) -> str:
    """Return the conversation of a card: a group, or one with the person who pressed; empty where it is neither."""
    user, conversation = _id(body, "userId"), _conversation(body, "spaceId")
    is_group = bool(conversation) and body.get("spaceType") != "IM_ROBOT"
    return conversation if is_group or not is_staff(user) else f"@{user}"


def _object(content: object) -> _Payload:
    """Return an object, which cards hold as a text in JSON; an empty one for everything else."""
    if isinstance(content, str) and len(content) <= MAX_TEXT:
        return read_object(content) or {}
    return content if isinstance(content, dict) else {}


def _first(texts: object) -> str:
    return _text({"first": texts[0]}, "first", most=255) or "" if isinstance(texts, list) and texts else ""


_TOPICS: Mapping[str, Callable[[_Payload, RobotArrival], ChatMessage | ButtonPress | None]] = {
    MESSAGES: _message,
    CARDS: _press,
}


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
    text = _text(content, *path, most=200) or ""
    return text if _ID.fullmatch(text) else ""


def _conversation(content: object, *path: str) -> str:
    text = _text(content, *path, most=210) or ""
    return text if _CONVERSATION.fullmatch(text) else ""


def _is_unicode(text: str) -> bool:
    """Return whether it can be stored: JSON can write half a pair of surrogates."""
    return text.isascii() or not _SURROGATE.search(text)


_SURROGATE = lazy_pattern("[\ud800-\udfff]")
