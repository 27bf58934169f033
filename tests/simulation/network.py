"""Slack as a service of the world: what it accepts is decided by the fake's own rules, and what arrives by the seed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from slack_sdk.errors import SlackApiError

from slack_alert.channels.slack.http import HttpResponse, NotConnectedError
from tests.fakes.slack_methods import METHODS, call
from tests.fakes.slack_rules import SlackError
from tests.fakes.slack_workspace import Workspace
from tests.simulation.sockets import SimulatedSocket, Sockets
from tests.simulation.world import World

BASE_URL = "https://slack.example/api/"


class Service:
    """Slack, with what is wrong with it at present."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._began = world.seconds()
        self.workspace = Workspace(token="xoxb-simulated", now=self.now)
        self.sockets = Sockets(world)
        #: How likely each of these is for a call, from 0 to 1.
        self.refused = self.lost_before = self.lost_after = self.garbage = 0.0
        self.slowness = 0.0
        self.is_revoked = False
        self.met: dict[str, int] = {}
        #: Each message that was accepted, with the time; those of `chat.update` apart.
        self.accepted: list[tuple[int, Mapping[str, Any]]] = []
        #: Answers to interactions at addresses of their own, by the address.
        self.responses: list[tuple[str, Mapping[str, Any]]] = []
        #: Called with each page of a conversation that is answered: the arguments, and the messages.
        self.read: Callable[[Mapping[str, Any], list[Mapping[str, Any]]], object] = lambda _arguments, _messages: None

    def now(self) -> float:
        """Return Slack's time, which nobody can set."""
        return self._began + self.world.monotonic()

    def meet(self, name: str) -> None:
        """Count what happened."""
        self.met[name] = self.met.get(name, 0) + 1

    async def call(self, method: str, arguments: Mapping[str, Any]) -> HttpResponse:
        """Answer one call, or raise what a broken connection raises."""
        import asyncio

        chance = self.world.random.random
        self.world.step(f"call {method}")
        await asyncio.sleep(0.01 + chance() * (self.slowness or 0.05))
        if chance() < self.lost_before:
            self.meet("lost before")
            if chance() < 0.5:
                raise NotConnectedError from ConnectionRefusedError()
            raise ConnectionResetError
        if chance() < self.refused:
            self.meet("refused")
            if chance() < 0.5:
                return _response(503, b"<html>down</html>")
            return _response(200, b'{"ok":false,"error":"internal_error"}')
        self.world.step("reached")
        answer = self._answer(method, arguments)
        self.world.step("answered")
        await asyncio.sleep(chance() * (self.slowness or 0.05))
        if chance() < self.lost_after:
            self.meet("lost after")
            raise (ConnectionResetError if chance() < 0.5 else TimeoutError)
        if chance() < self.garbage:
            self.meet("garbage")
            return _response(200, answer.body[: len(answer.body) // 2] if chance() < 0.5 else b"")
        return answer

    def _answer(self, method: str, arguments: Mapping[str, Any]) -> HttpResponse:
        if self.is_revoked:
            self.meet("revoked")
            return _json(SlackError("token_revoked").answer())
        known = METHODS[method]
        self.meet(f"call {method}")
        if method == "chat.postMessage":
            channel = self.workspace.identify(str(arguments.get("channel")))
            if wait := self.workspace.seconds_until_allowed(channel):
                self.meet("rate limited")
                return _response(429, b"", f"Retry-After: {max(1, round(wait))}\r\n")
        given = {name: value for name, value in arguments.items() if name in known.arguments or name == "metadata"}
        try:
            content = call(self.workspace, known, given)
        except SlackError as error:
            return _json(error.answer())
        if method == "apps.connections.open":
            return _json({**content, "url": "wss://slack.example/link"})
        if method == "conversations.history":
            self.read(arguments, content["messages"])
        if method in ("chat.postMessage", "chat.update"):
            self.meet("accepted" if method == "chat.postMessage" else "edited")
            self.world.note(f"{method} accepted: {str(arguments.get('text'))[:60]!r}")
            self.accepted.append((self.world.micros, {"method": method, **arguments, "ts": content["ts"]}))
        return _json(content)


class Posts:
    """What `HttpSession` is to the product, over the service of the world."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def post(self, url: str, content: Any) -> HttpResponse:
        return await self._service.call(url.removeprefix(BASE_URL), content)

    def close(self) -> None:
        """Do nothing."""


class Web:
    """What the vendor's client is to the product, over the service of the world."""

    proxy = None
    base_url = BASE_URL

    def __init__(self, service: Service) -> None:
        self._service = service

    async def api_call(self, method: str, *, json: Any = None, data: Any = None) -> WebResponse:
        reply = await self._service.call(method, json or data or {})
        response = WebResponse(reply)
        if reply.status != 200 or response.data.get("ok") is not True:
            raise SlackApiError("refused", response)  # type: ignore[no-untyped-call]
        return response


class WebResponse:
    """An answer as the vendor's client has it; raise ValueError where it is no JSON."""

    def __init__(self, reply: HttpResponse) -> None:
        self.status_code, self.headers = reply.status, reply.headers
        self.data: Any = json.loads(reply.body) if reply.status == 200 else {}


class Session:
    """What aiohttp's session is to the product: sockets, and answers to interactions."""

    timeout = None

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ws_connect(self, _url: str, **_options: object) -> SimulatedSocket:
        """Open a socket."""
        return await self._service.sockets.connect()

    @asynccontextmanager
    async def post(self, url: str, *, json: Mapping[str, Any], **_options: object) -> AsyncIterator[Responded]:
        """Take an answer to an interaction."""
        import asyncio

        self._service.world.step("respond")
        await asyncio.sleep(0.05)
        self._service.responses.append((url, json))
        self._service.meet("responded")
        yield Responded()

    async def close(self) -> None:
        """Do nothing."""


class Responded:
    """The answer to an answer."""

    status = 200

    @property
    def content(self) -> Responded:
        """Its body."""
        return self

    async def read(self, _most: int = -1) -> bytes:
        """Return the body."""
        return b"ok"


def _json(content: Mapping[str, Any]) -> HttpResponse:
    return _response(200, json.dumps(content).encode())


def _response(status: int, body: bytes, fields: str = "") -> HttpResponse:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{fields}"
    return HttpResponse(status, head.encode(), body, is_last=False)
