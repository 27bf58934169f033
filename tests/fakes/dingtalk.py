"""DingTalk on loopback: robots of groups, cards of apps, session webhooks, and the gateway of Stream mode.

What the real one refuses is refused: a wrong signature or one of another hour, a message without the keyword or too
long, more than 20 messages in a minute, a token that is over, a card in a conversation in which the robot is not, and
an edit of a card that there is not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, CONVERSATION
from tests.fakes.dingtalk_stream import FakeDingTalkStream
from tests.fakes.slack_rules import Json

ACCESS_TOKEN = "0123456789abcdef0123456789abcdef"
WINDOW_MILLISECONDS = 3_600_000
A_MINUTE, MOST_A_MINUTE, THROTTLED = 60.0, 20, 600.0
LONGEST_BYTES = 20_000
SPACES = frozenset({"IM_GROUP", "IM_ROBOT"})


@dataclass(slots=True)
class GroupRobot:
    """A robot as its group has set it up."""

    secret: str = ""
    keyword: str = ""
    #: The times of the messages of the last minute, and until when it takes none.
    times: list[float] = field(default_factory=list)
    throttled_until: float = 0.0
    #: What it has posted.
    posted: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Card:
    """A card that is shown, with all it has shown so far."""

    space: str
    template: str
    shown: list[Json]
    called: Json


class FakeDingTalk(FakeDingTalkStream):
    """All of it with one server; `robots` are by the tokens in their webhooks."""

    def __init__(self) -> None:
        super().__init__()
        self.robots: dict[str, GroupRobot] = {ACCESS_TOKEN: GroupRobot()}
        self.cards: dict[str, Card] = {}
        #: What was answered by session webhooks.
        self.answered: list[Json] = []
        #: In place of the real answers: status and body, one for each request to the path.
        self.answers: dict[str, list[tuple[int, str]]] = {}
        self.tokens: list[str] = []
        #: The conversations that the robot is in.
        self.spaces = {f"dtv1.card//IM_GROUP.{CONVERSATION}", "dtv1.card//IM_ROBOT.0123"}
        #: Whether the app may send cards.
        self.may_send_cards = True
        self.paths: list[str] = []

    @property
    def webhook(self) -> str:
        return f"{self.url}/robot/send?access_token={ACCESS_TOKEN}"

    @property
    def session(self) -> str:
        return f"{self.url}/robot/sendBySession?session=0123"

    def texts(self, token: str = ACCESS_TOKEN) -> list[str]:
        """Return what a robot has posted."""
        return [_said(each) for each in self.robots[token].posted]

    def card_texts(self) -> list[list[str]]:
        """Return what each card has shown, one after the other."""
        return [[shown["markdown"] for shown in card.shown] for card in self.cards.values()]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer as DingTalk does."""
        serve = _SERVED.get((request.method, request.path))
        if serve is None:
            return await super().handle(request)
        self.paths.append(request.path)
        if self.answers.get(request.path):
            status, body = self.answers[request.path].pop(0)
            return web.Response(status=status, text=body)
        try:
            content = json.loads(await request.read())
        except ValueError:
            return _failed(400, "InvalidParameter")
        with self.gateway.changed:
            answer: web.Response = serve(self, request, content)
            self.gateway.changed.notify_all()
        return answer

    def _robot_send(self, request: web.BaseRequest, content: Any) -> web.Response:
        robot = self.robots.get(request.query.get("access_token", ""))
        if robot is None:
            return _robot_answer(300005, "token is not exist")
        now = self.now()
        robot.times = [at for at in robot.times if now - at < A_MINUTE]
        if now < robot.throttled_until:
            return _robot_answer(130101, "send too fast, exceed 20 times per minute")
        if robot.secret and (fault := self._forgery(robot.secret, request)):
            return _robot_answer(310000, fault)
        if not _is_message(content):
            return _robot_answer(40035, "缺少参数 json")
        text = _said(content)
        if len(text.encode()) > LONGEST_BYTES:
            return _robot_answer(460101, "message too long, exceed 20000 bytes")
        if robot.keyword and robot.keyword not in text:
            return _robot_answer(310000, "keywords not in content, more: [https://ding-doc.dingtalk.com]")
        if len(robot.times) >= MOST_A_MINUTE:
            robot.throttled_until = now + THROTTLED
            return _robot_answer(130101, "send too fast, exceed 20 times per minute")
        robot.times.append(now)
        robot.posted.append(content)
        return _robot_answer(0, "ok")

    def _forgery(self, secret: str, request: web.BaseRequest) -> str:
        stamp, given = request.query.get("timestamp", ""), request.query.get("sign", "")
        if not stamp.isdigit() or abs(self.now() * 1000 - int(stamp)) > WINDOW_MILLISECONDS:
            return "invalid timestamp, more: [https://ding-doc.dingtalk.com]"
        digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        is_ours = hmac.compare_digest(base64.b64encode(digest).decode(), given)
        return "" if is_ours else "sign not match, more: [https://ding-doc.dingtalk.com]"

    def _session_send(self, request: web.BaseRequest, content: Any) -> web.Response:
        if request.query.get("session") != "0123":
            return _robot_answer(310000, "session webhook is invalid")
        if not _is_message(content):
            return _robot_answer(40035, "缺少参数 json")
        self.answered.append(content)
        return _robot_answer(0, "ok")

    def _token(self, request: web.BaseRequest, content: Any) -> web.Response:  # noqa: ARG002 - as all
        if content != {"appKey": CLIENT_ID, "appSecret": CLIENT_SECRET}:
            return _failed(400, "invalidClientIdOrSecret")
        self.tokens.append(f"token-{len(self.tokens)}")
        return web.json_response({"accessToken": self.tokens[-1], "expireIn": 7200})

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        if request.headers.get("x-acs-dingtalk-access-token") not in self.tokens[-1:]:
            return _failed(401, "InvalidAuthentication")
        if not self.may_send_cards:
            return _failed(403, "Forbidden.AccessDenied.AccessTokenPermissionDenied")
        return None

    def _create(self, request: web.BaseRequest, content: Any) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        space, track = content.get("openSpaceId"), content.get("outTrackId")
        data = content.get("cardData", {}).get("cardParamMap")
        if not (isinstance(track, str) and track and _is_card(data) and content.get("cardTemplateId")):
            return _failed(400, "param.error")
        kind = str(space).removeprefix("dtv1.card//").partition(".")[0]
        model = {"IM_GROUP": "imGroupOpenDeliverModel", "IM_ROBOT": "imRobotOpenDeliverModel"}.get(kind, "")
        if space not in self.spaces or content.get(model, {}).get("robotCode") != CLIENT_ID:
            return _failed(400, "param.spaceNotExist")
        if track not in self.cards:  # The same card again is that card.
            self.cards[track] = Card(str(space), content["cardTemplateId"], [data], content[model].get("atUserIds", {}))
        return web.json_response({"result": {"outTrackId": track}, "success": True})

    def _update(self, request: web.BaseRequest, content: Any) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        card, data = self.cards.get(content.get("outTrackId")), content.get("cardData", {}).get("cardParamMap")
        if card is None:
            return _failed(404, "cardInstanceNotExist")
        if not _is_card(data):
            return _failed(400, "param.error")
        card.shown.append({**card.shown[-1], **data})
        return web.json_response({"success": True, "result": True})


def _robot_answer(code: int, words: str) -> web.Response:
    return web.json_response({"errcode": code, "errmsg": words})


def _failed(status: int, code: str) -> web.Response:
    return web.json_response({"code": code, "message": code, "requestid": "R"}, status=status)


def _is_message(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("msgtype") not in {"text", "markdown"}:
        return False
    body = content.get(content["msgtype"])
    wanted = ("content",) if content["msgtype"] == "text" else ("title", "text")
    return isinstance(body, dict) and all(isinstance(body.get(each), str) and body[each] for each in wanted)


def _is_card(data: Any) -> bool:
    """Return whether card data are as the API takes them: all values are texts."""
    return isinstance(data, dict) and bool(data) and all(isinstance(value, str) for value in data.values())


def _said(content: Json) -> str:
    return str(content["text"]["content"] if content["msgtype"] == "text" else content["markdown"]["text"])


_SERVED: dict[tuple[str, str], Any] = {
    ("POST", "/robot/send"): FakeDingTalk._robot_send,
    ("POST", "/robot/sendBySession"): FakeDingTalk._session_send,
    ("POST", "/v1.0/oauth2/accessToken"): FakeDingTalk._token,
    ("POST", "/v1.0/card/instances/createAndDeliver"): FakeDingTalk._create,
    ("PUT", "/v1.0/card/instances"): FakeDingTalk._update,
}
