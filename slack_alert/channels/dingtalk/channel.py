"""DingTalk as a channel: `dingtalk:ops` is a group's robot, `dingtalk:bot/cid...` a conversation of an app's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slack_alert.channels.dingtalk.access import DingTalkAccess
from slack_alert.channels.dingtalk.client import AppClient, AppIdentity, DingTalkClient
from slack_alert.channels.dingtalk.errors import DingTalkRefusal
from slack_alert.channels.dingtalk.robots import GROUP, AppRobot, WebhookRobot, post_to_webhook
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import Capabilities
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import PrivateStruct
from slack_alert.engine.ports import Clock

#: So many conversations can be answered in words.
_MOST_SESSIONS = 1_000


class Robot(PrivateStruct, frozen=True):
    """What the configuration says of a robot; empty: it is not set."""

    hidden = frozenset({"webhook", "secret", "client_secret"})

    name: str
    webhook: str = ""
    secret: str = ""
    keyword: str = ""
    client_id: str = ""
    client_secret: str = ""
    robot_code: str = ""
    api_url: str = ""
    takes_presses: bool = False


class DingTalkChannel:
    """The channel to all robots; to be used from one event loop."""

    name = "dingtalk"

    def __init__(self, robots: Sequence[Robot], access: DingTalkAccess, clock: Clock) -> None:
        self._client = DingTalkClient(access)
        self._clock = clock
        #: URLs by which conversations can be answered, and until when.
        self._sessions: dict[str, tuple[str, datetime]] = {}
        self._groups = {
            robot.name: WebhookRobot(robot.webhook, robot.secret, robot.keyword) for robot in robots if robot.webhook
        }
        self._apps = {robot.name: self._app(robot) for robot in robots if robot.client_id}

    def _app(self, robot: Robot) -> AppRobot:
        app = AppClient(self._client, self._clock, AppIdentity(robot.client_id, robot.client_secret, robot.api_url))
        return AppRobot(
            app,
            self._client,
            self._clock,
            robot_code=robot.robot_code,
            takes_presses=robot.takes_presses,
            session_webhook=self._sessions.get,
        )

    def keep_session(self, conversation: str, url: str, end: datetime) -> None:
        """Remember by which URL a conversation can be answered, and until when."""
        if len(self._sessions) >= _MOST_SESSIONS and conversation not in self._sessions:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each][1])]
        self._sessions[conversation] = (url, end)

    def capabilities(self, to: Address) -> Capabilities:
        """Return what can be done with messages at an address."""
        robot, _, place = to.conversation.partition("/")
        app = self._apps.get(robot)
        return app.capabilities if place and app is not None else GROUP

    async def check(self) -> list[tuple[str, SendResult | None]]:
        """Return of each app whether DingTalk knows it: its robot, and what is wrong, or None; for `doctor`."""
        found: list[tuple[str, SendResult | None]] = []
        for name, app in self._apps.items():
            try:
                await app.check()
            except DingTalkRefusal as refused:  # noqa: PERF203 - each app has an answer of its own
                found.append((name, refused.outcome))
            else:
                found.append((name, None))
        return found

    async def open(self) -> None:
        """Import the library without calling DingTalk; raise BadValue for a bad `ca_file`."""
        await self._client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Attempt a delivery; each error of DingTalk or the network becomes an outcome."""
        conversation = delivery.message.to.conversation
        name, _, place = conversation.partition("/")
        try:
            if place and (app := self._apps.get(name)) is not None:
                return await app.send(delivery, text, place, conversation)
            if not place and (group := self._groups.get(name)) is not None:
                await post_to_webhook(self._client, group, delivery.message, text, self._clock.now())
                return SendResult(SendStatus.SENT)
        except DingTalkRefusal as refused:
            return refused.outcome
        return _not_there(name, has_place=bool(place), has_app=name in self._apps)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the port's
        """Return None: DingTalk does not tell what a robot has posted."""
        return None


def _not_there(name: str, *, has_place: bool, has_app: bool) -> SendResult:
    if has_place:
        hint = f"set client_id and client_secret in [dingtalk.{name}]"
    elif has_app:
        hint = f"set webhook in [dingtalk.{name}], or name a conversation: dingtalk:{name}/cid..."
    else:
        hint = f"write a section [dingtalk.{name}]"
    return SendResult(SendStatus.DESTINATION, reason="no such robot", hint=hint)
