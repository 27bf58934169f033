"""DingTalk's gateway for Stream mode, on loopback: tickets, sockets that go silent or end, callbacks to be answered.

Everything public of `FakeDingTalkStream` may be called from any thread but that of the fake.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import WSMsgType, web

from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, message_body, press_body
from tests.fakes.slack_listener import Listener, reset
from tests.fakes.slack_rules import Json

if TYPE_CHECKING:
    from typing_extensions import Self

MESSAGES, CARDS = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"
OPEN, CONNECT = "/v1.0/gateway/connections/open", "/connect"
Result = TypeVar("Result")


@dataclass(slots=True)
class StreamRules:
    """How DingTalk behaves; to be changed at any time. All times are in seconds."""

    #: After so long without an acknowledgement a callback comes again, by any socket; None: never.
    again: float | None = 60.0
    #: Between its own frames of life; None: it sends none.
    keepalive: float | None = 20.0
    #: Between its pings of the WebSocket; None: it sends none.
    ping: float | None = None
    #: From a disconnect frame to the end of the connection, in which nothing more is delivered.
    disconnect: float = 10.0
    #: How often each callback is delivered at once, by whichever sockets.
    copies: int = 1
    #: A status and a body in place of a ticket; None: a ticket.
    refusal: tuple[int, str] | None = None
    #: New sockets are closed as soon as they are open.
    is_flapping: bool = False


@dataclass(slots=True)
class Callback:
    """What was to be told, and by which sockets it went; silent ones have swallowed it."""

    id: str
    topic: str
    data: str
    kind: str = "CALLBACK"
    #: The numbers of the sockets, in order; 0: there was none, and it waits for one.
    sent: list[int] = field(default_factory=list)
    is_acknowledged: bool = False

    def frame(self, at: float) -> str:
        headers = {
            "appId": "app-1",
            "connectionId": "connection-1",
            "contentType": "application/json",
            "messageId": self.id,
            "time": str(round(at * 1000)),
            "topic": self.topic,
        }
        return json.dumps({"specVersion": "1.0", "type": self.kind, "headers": headers, "data": self.data})


@dataclass(slots=True)
class StreamLink:
    """One open socket."""

    number: int
    socket: web.WebSocketResponse
    request: web.BaseRequest
    topics: frozenset[str]
    #: It answers pings of the WebSocket, and that is all.
    is_silent: bool = False
    #: It was told to disconnect.
    is_leaving: bool = False
    #: Answers to our pings of the WebSocket.
    pongs: int = 0


class DingTalkGateway:
    """The gateway without a server; to be used on one event loop, from the origin of the server that it is part of."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.rules = StreamRules()
        self.origin = ""
        self.callbacks: list[Callback] = []
        #: The requests for a ticket.
        self.asked: list[Json] = []
        #: How many sockets were opened so far.
        self.opened = 0
        #: How many were open at the same time, at most.
        self.most = 0
        #: What a client did that DingTalk's documents do not allow.
        self.violations: list[str] = []
        #: What came back for pings in frames, by their ids.
        self.echoes: dict[str, object] = {}
        self.links: list[StreamLink] = []
        self.changed = threading.Condition()
        self._now = now
        self._numbers = itertools.count(1)
        self._chance = random.Random(0)
        self._tickets: dict[str, frozenset[str]] = {}
        self._pings: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a request for a ticket, or be one socket from its beginning to its end."""
        if (request.method, request.path) == ("POST", OPEN):
            return await self._open(request)
        if (request.method, request.path) == ("GET", CONNECT):
            return await self._serve(request)
        return web.json_response({"code": "InvalidAction.NotFound", "message": "no such API"}, status=404)

    async def deliver(self, callback: Callback) -> None:
        """Send a callback by any of the sockets, silent ones among them."""
        for _ in range(self.rules.copies):
            usable = [
                link
                for link in self.links
                if not (link.socket.closed or link.is_leaving)
                and (callback.kind != "CALLBACK" or callback.topic in link.topics)
            ]
            link = self._chance.choice(usable) if usable else None
            callback.sent.append(link.number if link else 0)
            if link is not None:
                await self._tell(link, callback.frame(self._now()))
        self._note()
        if callback.kind == "CALLBACK":
            self._start(self._expect(callback))

    async def send_all(self, callbacks: list[Callback]) -> None:
        for callback in callbacks:
            self.callbacks.append(callback)
            await self.deliver(callback)

    def made(self, topic: str, payload: object, *, kind: str = "CALLBACK") -> Callback:
        """Return a callback; a payload that is a text goes as it is."""
        data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        return Callback(f"c0a8{next(self._numbers):08d}", topic, data, kind)

    async def ping(self, opaque: str, links: list[StreamLink]) -> None:
        for link in links:
            callback = Callback(f"p{next(self._numbers):08d}", "ping", json.dumps({"opaque": opaque}), "SYSTEM")
            self._pings[callback.id] = callback.data
            await self._tell(link, callback.frame(self._now()))

    async def disconnect(self, links: list[StreamLink]) -> None:
        for link in links:
            data = json.dumps({"reason": "persistent connection is timeout"})
            callback = Callback(f"d{next(self._numbers):08d}", "disconnect", data, "SYSTEM")
            await self._tell(link, callback.frame(self._now()))
            link.is_leaving = True
            self._start(self._close_later(link))

    async def kill(self, links: list[StreamLink]) -> None:
        for link in links:
            link.is_leaving = True
            if link.request.transport is not None:
                reset(link.request.transport)

    async def write(self, text: str | bytes, links: list[StreamLink]) -> None:
        for link in links:
            with suppress(ConnectionError):
                await (link.socket.send_bytes(text) if isinstance(text, bytes) else link.socket.send_str(text))

    async def _open(self, request: web.BaseRequest) -> web.Response:
        try:
            asked = json.loads(await request.read())
        except ValueError:
            return _refused(400, "invalidJson")
        self.asked.append(asked)
        self._note()
        if self.rules.refusal is not None:
            status, body = self.rules.refusal
            return web.Response(status=status, text=body)
        if (asked.get("clientId"), asked.get("clientSecret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused(401, "authFailed")
        wanted = asked.get("subscriptions")
        if not (isinstance(wanted, list) and wanted and isinstance(asked.get("ua"), str) and asked["ua"]):
            return _refused(400, "invalidParameter")
        if any(each.get("type") not in ("CALLBACK", "EVENT", "SYSTEM") or not each.get("topic") for each in wanted):
            return _refused(400, "invalidParameter")
        ticket = f"t+{next(self._numbers)}/{self._chance.getrandbits(64):016x}="
        self._tickets[ticket] = frozenset(each["topic"] for each in wanted)
        return web.json_response({"endpoint": f"{self.origin.replace('http', 'ws', 1)}{CONNECT}", "ticket": ticket})

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        topics = self._tickets.pop(request.query.get("ticket", ""), None)
        if topics is None:
            self.violations.append("a ticket that was used, or never given")
            return web.Response(status=401)
        socket = web.WebSocketResponse(autoping=False, autoclose=True, max_msg_size=1_000_000)
        try:
            await socket.prepare(request)
        except ConnectionError:  # who came is gone again
            return socket
        self.opened += 1
        link = StreamLink(self.opened, socket, request, topics)
        if self.rules.is_flapping:
            await socket.close()
            return socket
        self.links.append(link)
        self.most = max(self.most, len(self.links))
        self._note()
        habit = asyncio.create_task(self._live(link))
        try:
            await self._listen(link)
        finally:
            habit.cancel()
            self.links.remove(link)
            self._note()
        return socket

    async def _listen(self, link: StreamLink) -> None:
        async for frame in link.socket:
            if frame.type is WSMsgType.PING:
                await link.socket.pong(frame.data)
            elif frame.type is WSMsgType.PONG:
                link.pongs += 1
            elif frame.type is WSMsgType.TEXT:
                self._take(link, frame.data)

    def _take(self, link: StreamLink, text: str) -> None:
        """Record an answer, which counts where the frame came by this socket."""
        if link.is_silent:
            return
        answer = json.loads(text)
        headers = answer.get("headers", {})
        number = headers.get("messageId", "")
        if number.startswith("p"):
            self.echoes[number] = answer.get("data")
            if answer.get("data") != self._pings[number]:
                self.violations.append(f"a ping answered with {answer.get('data')!r}")
        for callback in self.callbacks:
            if callback.id == number and answer.get("code") == 200:
                callback.is_acknowledged |= link.number in callback.sent
                if link.number not in callback.sent:
                    self.violations.append(f"{number} answered by a socket that did not bring it")
        if not _is_answer(answer):
            self.violations.append(f"not an answer: {text[:200]}")
        self._note()

    async def _live(self, link: StreamLink) -> None:
        """Give the signs of life that a socket of DingTalk's gives by itself."""
        for number in itertools.count():
            waits = [each for each in (self.rules.keepalive, self.rules.ping) if each is not None]
            await asyncio.sleep(min(waits, default=3600.0))
            if link.is_silent or link.is_leaving or link.socket.closed:
                continue
            with suppress(ConnectionError):
                if self.rules.ping is not None and (number % 2 or self.rules.keepalive is None):
                    await link.socket.ping(b"alive")
                elif self.rules.keepalive is not None:
                    await self.ping(f"alive {number}", [link])

    async def _expect(self, callback: Callback) -> None:
        """Deliver it again where nobody has acknowledged it, as often as that takes."""
        if self.rules.again is None:
            return
        await asyncio.sleep(self.rules.again)
        if not callback.is_acknowledged:
            await self.deliver(callback)

    async def _tell(self, link: StreamLink, frame: str) -> None:
        if not (link.is_silent or link.is_leaving or link.socket.closed):
            with suppress(ConnectionError):
                await link.socket.send_str(frame)

    async def _close_later(self, link: StreamLink) -> None:
        await asyncio.sleep(self.rules.disconnect)
        await link.socket.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self) -> None:
        with self.changed:
            self.changed.notify_all()


class FakeDingTalkStream:
    """A gateway with a server of its own: `with FakeDingTalkStream() as dingtalk` serves `dingtalk.url`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.gateway = DingTalkGateway(self.now)
        self._listener = Listener(self.handle, port=0)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-dingtalk", daemon=True)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait_for(self._listener.start())
        self.gateway.origin = self.url
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait_for(self._listener.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; called on the fake's own loop."""
        return await self.gateway.handle(request)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    @property
    def rules(self) -> StreamRules:
        return self.gateway.rules

    def now(self) -> float:
        """Return the time that messages are made at, in seconds since 1970."""
        return time.time()

    # What people do.

    def says(self, text: str, *, staff: str = "0123", **options: Any) -> Callback:
        """Write to the robot, in a group unless `direct=True`."""
        number = options.pop("number", f"msg{next(self._numbers):06d}/A==")
        body = message_body(text, staff=staff, number=number, at=options.pop("at", self.now()), **options)
        return self.sends(MESSAGES, body)[0]

    def presses(self, action: str, value: str = "", **fields: Any) -> Callback:
        """Press a button of a card."""
        return self.sends(CARDS, press_body(action, value, **fields))[0]

    def sends(self, topic: str, *payloads: object, kind: str = "CALLBACK") -> list[Callback]:
        """Send payloads as they are, in this order."""
        made = [self.gateway.made(topic, each, kind=kind) for each in payloads]
        self._wait_for(self.gateway.send_all(made))
        return made

    def pings(self, opaque: str, *numbers: int) -> None:
        self._wait_for(self.gateway.ping(opaque, self._chosen(numbers)))

    # What becomes of sockets.

    @property
    def sockets(self) -> list[int]:
        """The numbers of the open ones."""
        return [link.number for link in list(self.gateway.links)]

    def disconnects(self, *numbers: int) -> None:
        """Tell these sockets, or all, to disconnect, deliver nothing more by them, and close them some time later."""
        self._wait_for(self.gateway.disconnect(self._chosen(numbers)))

    def silence(self, *numbers: int) -> None:
        """Let them answer pings of the WebSocket and do nothing else."""
        for link in self._chosen(numbers):
            link.is_silent = True

    def kill(self, *numbers: int) -> None:
        """Cut connections without a word."""
        self._wait_for(self.gateway.kill(self._chosen(numbers)))

    def writes(self, text: str | bytes, *numbers: int) -> None:
        """Write a frame as it is."""
        self._wait_for(self.gateway.write(text, self._chosen(numbers)))

    def stop_listening(self) -> None:
        """Go away: connections are refused, open ones cut."""
        self._wait_for(self._listener.stop())

    def start_listening(self) -> None:
        self._wait_for(self._listener.start())

    def wait_for_sockets(self, count: int, *, seconds: float = 10.0) -> list[int]:
        """Wait until exactly so many are open."""
        self.wait(lambda: len(self.sockets) == count, seconds=seconds)
        return self.sockets

    def wait_for_acknowledgements(self, count: int, *, seconds: float = 10.0) -> None:
        """Wait until so many callbacks were acknowledged by the socket that they came by."""
        self.wait(lambda: sum(each.is_acknowledged for each in self.gateway.callbacks) >= count, seconds=seconds)

    def wait(self, found: Callable[[], Result | None], *, seconds: float = 10.0) -> Result:
        """Wait until something here is true, and return it; the changes of sockets and callbacks are looked at."""
        with self.gateway.changed:
            result = self.gateway.changed.wait_for(found, timeout=seconds)
        assert result, f"{self.sockets=} {self.gateway.opened=} {self.unacknowledged=}"
        return result

    @property
    def unacknowledged(self) -> list[Callback]:
        return [each for each in self.gateway.callbacks if not each.is_acknowledged]

    def _chosen(self, numbers: tuple[int, ...]) -> list[StreamLink]:
        return [link for link in list(self.gateway.links) if not numbers or link.number in numbers]

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def _refused(status: int, code: str) -> web.Response:
    """Return DingTalk's answer, as https://github.com/zfanswer/dify-on-dingtalk/issues/28 quotes it."""
    return web.json_response({"requestid": "ED203550", "code": code, "message": "鉴权失败"}, status=status)


def _is_answer(answer: Json) -> bool:
    headers = answer.get("headers")
    return (
        answer.get("code") == 200
        and isinstance(headers, dict)
        and headers.get("contentType") == "application/json"
        and isinstance(answer.get("message"), str)
        and isinstance(answer.get("data"), str)
    )
