"""Socket Mode of the fake Slack: sockets that open, are refreshed and die, and envelopes that want an answer in time.

Everything public may be called from any thread but that of the fake.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from aiohttp import WSMsgType, web

from tests.fakes.slack_events import (
    bot_event,
    edit_event,
    event_body,
    mention_event,
    message_event,
    press_payload,
    slash_form,
)
from tests.fakes.slack_listener import reset
from tests.fakes.slack_rules import Json
from tests.fakes.slack_shapes import message_shape
from tests.fakes.slack_workspace import APP, BOT_USER, TEAM, Posted, Workspace

Kind = Literal["events_api", "slash_commands", "interactive"]
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]
Result = TypeVar("Result")
#: More sockets of one app are turned away.
MOST_SOCKETS = 10
#: Over which a URL may be used, in seconds.
TICKET_SECONDS = 30.0


@dataclass(slots=True)
class SocketRules:
    """How Slack behaves; to be changed at any time. All times are in seconds."""

    #: After so long without an acknowledgement an event is sent again.
    acknowledge: float = 3.0
    #: How long after that each further delivery follows.
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    #: Between the pings of Slack's own.
    ping: float = 5.0
    #: From a disconnect frame to the end of the socket, by its reason.
    warning: float = 10.0
    refresh: float = 0.5
    #: The age at which a socket is refreshed; None: only when a test says so.
    lifetime: float | None = None
    #: How often each envelope is delivered, by whichever sockets.
    copies: int = 1
    #: What `hello` says.
    approximate_connection_time: int = 18_060


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An answer to an envelope; `after` is seconds since this socket got it."""

    envelope: str
    socket: int
    after: float
    payload: Json | None
    #: Whether the envelope had come by this socket.
    is_owed: bool


@dataclass(slots=True)
class Envelope:
    """What was to be told, and by which sockets it went; dead ones have swallowed it."""

    id: str
    kind: Kind
    payload: Json
    attempt: int = 0
    #: When each socket got it, by the number of the socket.
    sent: dict[int, float] = field(default_factory=dict)
    is_acknowledged: bool = False

    def frame(self) -> str:
        frame: Json = {
            "envelope_id": self.id,
            "payload": self.payload,
            "type": self.kind,
            "accepts_response_payload": self.kind != "events_api",
        }
        if self.kind == "events_api":
            frame |= {"retry_attempt": self.attempt, "retry_reason": "timeout" if self.attempt else ""}
        return json.dumps(frame)


@dataclass(slots=True)
class Link:
    """One open socket."""

    number: int
    socket: web.WebSocketResponse
    request: web.BaseRequest
    #: It answers pings, and that is all.
    is_dead: bool = False
    is_leaving: bool = False
    #: Pings of the client's and its answers to ours.
    pings: int = 0
    pongs: int = 0


class SlackSocket:
    """The socket side of one app."""

    def __init__(self, workspace: Workspace, wait_for: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.rules = SocketRules()
        self.acknowledgements: list[Acknowledgement] = []
        self.envelopes: list[Envelope] = []
        #: How many sockets were opened so far.
        self.opened = 0
        self.origin = ""
        self.changed = threading.Condition()
        self._workspace = workspace
        self._wait_for = wait_for
        self._links: list[Link] = []
        self._tickets: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._chance = random.Random(0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: dict[str, Json] = {}

    # What people do.

    def says(
        self, user: str, text: str, *, channel: str = "C0OPS", thread: str | None = None, **fields: object
    ) -> Posted:
        """Write as a person; a text that mentions the app goes as two events. `fields` go into the event."""
        space = self._workspace
        where = space.find(channel) or space.open((channel,))[0]
        direct = where.startswith("D")
        message = space.post(Posted(where, text, space.next_ts(), space.now(), thread_ts=thread, user=user))
        kind = "im" if direct else "group" if where in space.private else "channel"
        event = message_event(text, user=user, channel=where, ts=message.ts, thread=thread, channel_type=kind) | fields
        self._sent[message.ts] = event
        is_mention = f"<@{BOT_USER}" in text and not direct
        self.tells(*([mention_event(event)] if is_mention else []), event)
        return message

    def mentions(self, user: str, text: str, *, channel: str = "C0OPS", thread: str | None = None) -> Posted:
        """Write to the app by its name."""
        return self.says(user, f"<@{BOT_USER}> {text}", channel=channel, thread=thread)

    def edits(self, message: Posted, text: str) -> None:
        """Change what was written; where it mentions the app now, that is an event of its own."""
        space, at = self._workspace, self._workspace.next_ts()
        event = self._sent[message.ts]
        space.edit(message, replace(message, text=text))
        mention = mention_event(event) | {"text": text, "edited": {"user": message.user, "ts": at}}
        self.tells(edit_event(event, text, at=at), *([mention] if f"<@{BOT_USER}" in text else []))

    def bot_says(self, text: str, *, channel: str = "C0OPS", user: str = BOT_USER) -> None:
        self.tells(bot_event(text, channel=channel, ts=self._workspace.next_ts(), user=user))

    def slash(self, user: str, command: str, text: str = "", *, channel: str = "C0OPS") -> Envelope:
        return self.sends("slash_commands", self._slash_form(user, command, text, channel))[0]

    def presses(self, user: str, action: str, value: str = "", *, message: Posted, ephemeral: bool = False) -> Envelope:
        """Press a button of a message."""
        space = self._workspace
        shape = message_shape(space, message, metadata=False)
        payload = press_payload(
            action,
            value,
            user=user,
            name=space.users.get(user, user),
            message=shape,
            channel=message.channel,
            channel_name=space.channels.get(message.channel, "directmessage"),
            at=space.next_ts(),
            trigger=self._trigger(),
            response_url=self._response_url(message.channel),
            ephemeral=ephemeral,
        )
        return self.sends("interactive", payload)[0]

    def tells(self, *events: Json, team: str = TEAM) -> list[Envelope]:
        """Tell of events."""
        at = self._workspace.now()
        bodies = [event_body(event, event_id=f"Ev{next(self._numbers):010d}", at=at, team=team) for event in events]
        return self.sends("events_api", *bodies)

    def sends(self, kind: Kind, *payloads: Json) -> list[Envelope]:
        """Send payloads as they are, in this order."""
        made = [Envelope(f"00000000-0000-4000-8000-{next(self._numbers):012d}", kind, each) for each in payloads]
        self._do(self._send_all(made))
        return made

    # What becomes of sockets.

    @property
    def sockets(self) -> list[int]:
        """The numbers of the open ones."""
        return [link.number for link in list(self._links)]

    def link(self, number: int) -> Link:
        return next(link for link in list(self._links) if link.number == number)

    def disconnects(self, reason: Reason, *numbers: int) -> None:
        """Send the frame on these sockets, or on all, and end them some time later."""
        self._do(self._disconnect(reason, self._chosen(numbers)))

    def disable(self) -> None:
        """Switch Socket Mode off for the app."""
        self._workspace.socket_mode = False
        self.disconnects("link_disabled")

    def deaden(self, *numbers: int) -> None:
        """Let them answer pings and do nothing else."""
        for link in self._chosen(numbers):
            link.is_dead = True

    def kill(self, *numbers: int) -> None:
        """Cut connections without a word."""
        self._do(self._kill(self._chosen(numbers)))

    def closes(self, code: int, *numbers: int) -> None:
        self._do(self._close(code, self._chosen(numbers)))

    def writes(self, text: str, *numbers: int) -> None:
        """Write a frame as it is."""
        self._do(self._write(text, self._chosen(numbers)))

    def wait_for_sockets(self, count: int, *, seconds: float = 10.0) -> list[int]:
        """Wait until exactly so many are open."""
        self.wait(lambda: len(self.sockets) == count, seconds=seconds)
        return self.sockets

    def wait_for_acknowledgements(self, count: int, *, seconds: float = 10.0) -> list[Acknowledgement]:
        """Wait until so many envelopes were acknowledged by the socket they came by."""
        self.wait(lambda: sum(each.is_acknowledged for each in self.envelopes) >= count, seconds=seconds)
        return list(self.acknowledgements)

    def wait(self, found: Callable[[], Result | None], *, seconds: float = 10.0) -> Result:
        """Wait until something here is true, and return it; the changes of sockets and envelopes are looked at."""
        with self.changed:
            result = self.changed.wait_for(found, timeout=seconds)
            assert result, f"{self.sockets=} {self.opened=} {len(self.envelopes)=} {len(self.acknowledgements)=}"
        return result

    @property
    def unacknowledged(self) -> list[Envelope]:
        return [each for each in self.envelopes if not each.is_acknowledged]

    # What the server calls.

    def open_url(self) -> str:
        """Return a URL that is good for one socket, and not for long."""
        ticket = f"t{next(self._numbers):06d}-{self._chance.getrandbits(64):016x}"
        self._tickets[ticket] = self._workspace.now()
        return f"{self.origin.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP}"

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Be one socket from its beginning to its end."""
        since = self._tickets.pop(request.query.get("ticket", ""), None)
        if since is None or self._workspace.now() - since > TICKET_SECONDS:
            return web.Response(status=404)
        socket = web.WebSocketResponse(autoping=False, autoclose=True, max_msg_size=1_000_000)
        try:
            await socket.prepare(request)
        except ConnectionError:  # who came is gone again
            return socket
        link = Link(next(self._numbers), socket, request)
        if len(self._links) >= MOST_SOCKETS:
            await socket.send_json(_disconnect_frame("too_many_websockets"))
            await socket.close()
            return socket
        self._links.append(link)
        self.opened += 1
        await self._tell(link, json.dumps(self._hello()))
        self._note()
        habits = [asyncio.create_task(self._ping(link)), asyncio.create_task(self._grow_old(link))]
        try:
            await self._listen(link)
        finally:
            for habit in habits:
                habit.cancel()
            if link in self._links:
                self._links.remove(link)
            self._note()
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._links),
            "debug_info": {
                "host": "applink-1",
                "build_number": 1,
                "approximate_connection_time": self.rules.approximate_connection_time,
            },
            "connection_info": {"app_id": APP},
        }

    async def _listen(self, link: Link) -> None:
        async for frame in link.socket:
            if frame.type is WSMsgType.PING:
                link.pings += 1
                await link.socket.pong(frame.data)
            elif frame.type is WSMsgType.PONG:
                link.pongs += 1
            elif frame.type is WSMsgType.TEXT:
                self._take(link, json.loads(frame.data))

    def _take(self, link: Link, answer: Json) -> None:
        """Record an acknowledgement, which counts where the envelope came by this socket."""
        if link.is_dead:
            return
        now = asyncio.get_running_loop().time()
        owed = [each for each in self.envelopes if each.id == answer["envelope_id"] and link.number in each.sent]
        for envelope in owed:
            envelope.is_acknowledged = True
        after = now - owed[0].sent[link.number] if owed else 0.0
        payload = answer.get("payload") or None
        self.acknowledgements.append(
            Acknowledgement(answer["envelope_id"], link.number, after, payload, is_owed=bool(owed))
        )
        self._note()

    async def _ping(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self.rules.ping)
            if not link.is_dead and not link.socket.closed:
                with suppress(ConnectionError):
                    await link.socket.ping(b"Ping from applink-1")

    async def _grow_old(self, link: Link) -> None:
        if self.rules.lifetime is not None:
            await asyncio.sleep(self.rules.lifetime)
            await self._disconnect("refresh_requested", [link])

    async def _send_all(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            self.envelopes.append(envelope)
            await self._deliver(envelope)

    async def _deliver(self, envelope: Envelope) -> None:
        """Send it by any of the sockets, dead ones among them; what nobody takes in time comes again, if an event."""
        for _ in range(self.rules.copies):
            usable = [link for link in self._links if not link.socket.closed]
            # One that was announced to end is used while there is no other.
            if usable := [link for link in usable if not link.is_leaving] or usable:
                link = self._chance.choice(usable)
                envelope.sent[link.number] = asyncio.get_running_loop().time()
                await self._tell(link, envelope.frame())
        self._note()
        if envelope.kind == "events_api":
            self._start(self._expect(envelope))

    async def _expect(self, envelope: Envelope) -> None:
        await asyncio.sleep(self.rules.acknowledge)
        if envelope.is_acknowledged or envelope.attempt >= len(self.rules.retries):
            return
        await asyncio.sleep(self.rules.retries[envelope.attempt])
        again = Envelope(
            f"00000000-0000-4000-8000-{next(self._numbers):012d}", envelope.kind, envelope.payload, envelope.attempt + 1
        )
        await self._send_all([again])

    async def _tell(self, link: Link, frame: str) -> None:
        if link.is_dead or link.socket.closed:
            return
        try:
            await link.socket.send_str(frame)
        except ConnectionError:
            link.is_leaving = True

    async def _disconnect(self, reason: Reason, links: Iterable[Link]) -> None:
        wait = {"warning": self.rules.warning, "refresh_requested": self.rules.refresh}.get(reason, 0.05)
        for link in links:
            await self._tell(link, json.dumps(_disconnect_frame(reason)))
            link.is_leaving = reason != "warning"
            self._start(self._close_later(link, wait))

    async def _close_later(self, link: Link, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._close(1000, [link])

    async def _close(self, code: int, links: Iterable[Link]) -> None:
        for link in links:
            link.is_leaving = True
            self._start(_closed(link.socket, code))

    async def _kill(self, links: Iterable[Link]) -> None:
        for link in links:
            link.is_leaving = True
            if link.request.transport is not None:
                reset(link.request.transport)

    async def _write(self, text: str, links: Iterable[Link]) -> None:
        for link in links:
            await self._tell(link, text)

    def _chosen(self, numbers: tuple[int, ...]) -> list[Link]:
        return [link for link in list(self._links) if not numbers or link.number in numbers]

    def _slash_form(self, user: str, command: str, text: str, channel: str) -> Json:
        space = self._workspace
        where = space.find(channel) or space.open((channel,))[0]
        return slash_form(
            command,
            text,
            user=user,
            name=space.users.get(user, user),
            channel=where,
            channel_name=space.channels.get(where, "directmessage"),
            trigger=self._trigger(),
            response_url=self._response_url(where),
        )

    def _trigger(self) -> str:
        return f"{next(self._numbers)}.1234567890.{self._chance.getrandbits(128):032x}"

    def _response_url(self, channel: str) -> str:
        return f"{self.origin}/commands/{self._workspace.open_response_url(channel)}"

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._wait_for(work)

    def _note(self) -> None:
        with self.changed:
            self.changed.notify_all()


def _disconnect_frame(reason: Reason) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}


async def _closed(socket: web.WebSocketResponse, code: int) -> None:
    await socket.close(code=code)
