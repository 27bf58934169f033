"""The robots of DingTalk: of a group, by its webhook, and of an app, which posts cards that are edited."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote_plus

from slack_alert.channels.dingtalk.client import AppClient, DingTalkClient
from slack_alert.channels.dingtalk.errors import DingTalkRefusal, judge_robot
from slack_alert.channels.dingtalk.text import Rendered, as_markdown, as_text
from slack_alert.core.commands.words import quote_word
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.capabilities import Capabilities
from slack_alert.core.model.message import Delivery, DeliveryMode, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import Struct
from slack_alert.engine.ports import Clock

#: In bytes, DingTalk's own limit of a message of a robot.
LARGEST = 20_000
GROUP = Capabilities(edit=False, thread=False, buttons=False, files=False, length=5_000)
CARD = Capabilities(thread=False, files=False, length=5_000)
#: Cards that each app may use: text in Markdown, without and with buttons.
PLAIN_CARD = "589420e2-c1e2-46ef-a5ed-b8728e654da9.schema"
BUTTON_CARD = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
#: How long an app that may not send cards answers by other ways before it tries again, in seconds.
_FORBIDDEN_SECONDS = 3600.0

#: Returns the URL by which a conversation can be answered, and until when; None: there is none.
SessionWebhook = Callable[[str], "tuple[str, datetime] | None"]


class WebhookRobot(Struct, frozen=True):
    """A robot of a group."""

    webhook: str
    secret: str = ""
    keyword: str = ""


async def post_to_webhook(
    client: DingTalkClient, robot: WebhookRobot, message: Message, text: str | None, now: datetime
) -> None:
    """Post a message by a webhook; raise DingTalkRefusal."""
    content = webhook_content(_said(message, text), robot.keyword, _asked_by(message))
    status, said = await client.call("POST", signed_url(robot.webhook, robot.secret, now), content)
    if (outcome := judge_robot(status, said)) is not None:
        raise DingTalkRefusal(outcome)


def signed_url(webhook: str, secret: str, now: datetime) -> str:
    """Return the URL with its signature, which is good for an hour.

    https://open.dingtalk.com/document/robots/customize-robot-security-settings
    """
    if not secret:
        return webhook
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    # Encoded once: encoded twice it is another signature.
    return f"{webhook}&timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"


def webhook_content(canonical: str, keyword: str = "", asked_by: str = "") -> Mapping[str, object]:
    """Return the body of a request: text, or Markdown where a link has a label, with the keyword if it lacks."""
    is_linked = "|" in canonical and "<http" in canonical
    rendered = as_markdown(canonical) if is_linked else as_text(canonical)
    at = tuple(dict.fromkeys([*filter(None, [asked_by]), *rendered.at]))
    text = rendered.text
    missing = [f"@{person}" for person in at if f"@{person}" not in text]
    text = " ".join([*missing, text]) if missing else text
    if keyword and keyword.lower() not in text.lower():
        text = f"{text}  \n{keyword}" if is_linked else f"{text}\n{keyword}"
    text = _within(text)
    called = {"atUserIds": list(at), "isAtAll": rendered.at_all}
    if is_linked:
        return {"msgtype": "markdown", "markdown": {"title": rendered.title, "text": text}, "at": called}
    return {"msgtype": "text", "text": {"content": text}, "at": called}


class AppRobot:
    """A robot of an app: its messages are cards; used on one event loop."""

    def __init__(
        self,
        app: AppClient,
        client: DingTalkClient,
        clock: Clock,
        *,
        robot_code: str,
        takes_presses: bool,
        session_webhook: SessionWebhook,
    ) -> None:
        """`takes_presses`: a door takes what is pressed, so the buttons of messages are shown."""
        self._app = app
        self._client = client
        self._clock = clock
        self._robot_code = robot_code
        self._takes_presses = takes_presses
        self._session_webhook = session_webhook
        #: Until when cards are not tried, in monotonic seconds.
        self._forbidden_until = float("-inf")

    @property
    def capabilities(self) -> Capabilities:
        """What can be done with its messages at present."""
        if self._clock.monotonic() < self._forbidden_until:
            return GROUP
        return Capabilities(thread=False, files=False, buttons=self._takes_presses, length=CARD.length)

    async def check(self) -> None:
        """Ask whether DingTalk knows the app; raise DingTalkRefusal if not."""
        await self._app.check()

    async def send(self, delivery: Delivery, text: str | None, place: str, conversation: str) -> SendResult:
        """Post or edit a card in a conversation, or answer in words where the app may send no cards."""
        message = delivery.message
        if self._clock.monotonic() >= self._forbidden_until:
            try:
                return SendResult(SendStatus.SENT, await self._card(message, text, delivery.follows, place))
            except DingTalkRefusal as refused:
                if not refused.is_forbidden or self._session(conversation) is None:
                    raise
            self._forbidden_until = self._clock.monotonic() + _FORBIDDEN_SECONDS
        return await self._answer(message, text, conversation)

    async def _card(self, message: Message, text: str | None, follows: str | None, place: str) -> str:
        rendered = as_markdown(_said(message, text))
        data = self._card_data(message, rendered)
        if message.manner is DeliveryMode.EDIT and follows:
            changed = {"outTrackId": follows, "cardData": {"cardParamMap": data}, **_BY_KEY}
            await self._app.call("PUT", "/v1.0/card/instances", changed)
            return follows
        # The same id where it is tried again: DingTalk makes one card of both.
        track = hashlib.blake2b(message.key.encode(errors="replace"), digest_size=16).hexdigest()
        has_buttons = self._takes_presses and bool(message.buttons)
        made: dict[str, object] = {
            "cardTemplateId": BUTTON_CARD if has_buttons else PLAIN_CARD,
            "outTrackId": track,
            "cardData": {"cardParamMap": data},
            "userIdType": 1,
            **({"callbackType": "STREAM"} if self._takes_presses else {}),
            **self._place(place, rendered, _asked_by(message)),
        }
        await self._app.call("POST", "/v1.0/card/instances/createAndDeliver", made)
        return track

    def _card_data(self, message: Message, rendered: Rendered) -> dict[str, str]:
        data = {"markdown": _within(rendered.text), "title": rendered.title}
        if self._takes_presses:
            buttons = [
                {
                    "text": button.label, "color": "gray", "id": button.action, "request": True,
                    "params": {"action": button.action, "value": f"{quote_word(button.about)} {button.rest}".rstrip()},
                }
                for button in message.buttons
            ]  # fmt: skip
            data |= {"tips": "", "sys_full_json_obj": json.dumps({"msgButtons": buttons}, ensure_ascii=False)}
        return data

    def _place(self, place: str, rendered: Rendered, asked_by: str) -> Mapping[str, object]:
        if place.startswith("@"):
            return {
                "openSpaceId": f"dtv1.card//IM_ROBOT.{place[1:]}",
                "imRobotOpenSpaceModel": {"supportForward": True},
                "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": self._robot_code},
            }
        called = dict.fromkeys([*filter(None, [asked_by]), *rendered.at], "")
        at = {"@ALL": "@ALL"} if rendered.at_all else {person: name or person for person, name in called.items()}
        return {
            "openSpaceId": f"dtv1.card//IM_GROUP.{place}",
            "imGroupOpenSpaceModel": {"supportForward": True},
            "imGroupOpenDeliverModel": {"robotCode": self._robot_code, **({"atUserIds": at} if at else {})},
        }

    async def _answer(self, message: Message, text: str | None, conversation: str) -> SendResult:
        """Answer by the session webhook, for as long as there is one."""
        session = self._session(conversation)
        if session is None:
            hint = "give the app the permission to send cards, or ask again: an answer in words goes for a while only"
            return SendResult(SendStatus.DESTINATION, reason="no session webhook", hint=hint)
        content = webhook_content(_said(message, text), asked_by=_asked_by(message))
        status, said = await self._client.call("POST", session, content)
        if (outcome := judge_robot(status, said)) is not None:
            raise DingTalkRefusal(outcome)
        return SendResult(SendStatus.SENT)

    def _session(self, conversation: str) -> str | None:
        found = self._session_webhook(conversation)
        return None if found is None or self._clock.now() >= found[1] else found[0]


def _said(message: Message, text: str | None) -> str:
    return fallback(message.piece) if text is None else text


def _asked_by(message: Message) -> str:
    """Return who is answered, by the staff id; empty: nobody in particular."""
    return message.thread.removeprefix("@") if message.thread.startswith("@") else ""


def _within(text: str) -> str:
    """Return a text within DingTalk's limit of bytes."""
    if len(text.encode(errors="replace")) <= LARGEST:
        return text
    cut = text.encode(errors="replace")[: LARGEST - 4].decode(errors="ignore")
    return f"{cut}…"


_BY_KEY = {"cardUpdateOptions": {"updateCardDataByKey": True}}
