"""Socket Mode of the simulated Slack: sockets that end or fall silent, and envelopes that come late, twice or in vain.

Of an envelope nobody knows whether it was heard but by its acknowledgement; what is not acknowledged within three
seconds comes again, an event three times, and a slash command never.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from tests.simulation.world import World

#: More sockets of one app are turned away.
_MOST_SOCKETS = 10
#: In seconds: between Slack's own pings, for an acknowledgement, and after that until each further delivery.
_PING, _ACKNOWLEDGE, _RETRIES = 10.0, 3.0, (0.0, 60.0, 300.0)
#: In seconds from the announcement of a socket's end to the end.
_WARNING = 10.0


class Frame(NamedTuple):
    """A frame, as the vendor's client hands it out."""

    type: Any  # Any: the vendor's enumeration
    data: Any  # Any: what the type says


@dataclass
class Envelope:
    """What is told to the program."""

    number: int
    kind: str
    payload: Mapping[str, Any]
    #: Called where it reaches a program, and where that acknowledges it.
    reached: Callable[[], object]
    acknowledged: Callable[[], object]
    attempt: int = 0
    is_acknowledged: bool = False

    def text(self) -> str:
        """Return the text of its frame."""
        return json.dumps({"envelope_id": f"envelope-{self.number}", "type": self.kind, "payload": self.payload})


class SimulatedSocket:
    """One socket: what the vendor's connection is to the product."""

    def __init__(self, world: World, sockets: Sockets) -> None:
        thread = world.current
        assert thread is not None, "a program opens it"
        self.life = thread.life
        self.is_open = True
        #: It is heard no more, and hears nothing; neither side knows.
        self.is_deaf = False
        self.is_leaving = False
        self._world, self._sockets = world, sockets
        self._loop = asyncio.get_running_loop()
        self._frames: deque[Frame] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._owed: dict[str, Envelope] = {}

    @property
    def is_there(self) -> bool:
        """Whether both of its ends are there."""
        return self.is_open and not self.life.is_dead

    # --- the program's end

    async def receive(self) -> Frame:
        """Return the next frame."""
        from aiohttp import WSMsgType

        while not self._frames:
            if not self.is_open:
                return Frame(WSMsgType.CLOSED, None)
            self._waiting = self._loop.create_future()
            await self._waiting
        return self._frames.popleft()

    async def send_str(self, text: str) -> None:
        """Take an acknowledgement."""
        self._world.step("acknowledge")
        envelope = self._owed.get(json.loads(text)["envelope_id"])
        if envelope is not None:
            # From here on the program stands by it, whether or not it is heard.
            envelope.acknowledged()
        if not self.is_open:
            raise ConnectionResetError("Cannot write to closing transport")
        if envelope is not None and not self.is_deaf:
            envelope.is_acknowledged = True
        self._world.step("acknowledged")

    async def ping(self, _: bytes = b"") -> None:
        """Do nothing: an answer proves nothing to the product."""
        if not self.is_open:
            raise ConnectionResetError("Cannot write to closing transport")
        # Who waits for less than the clock can tell would wait for ever, were there no time in a turn of the loop.
        self._world.freeze(1e-6)

    pong = ping

    async def close(self) -> None:
        """End it."""
        self.end()

    # --- Slack's end

    def push(self, kind: str, data: object) -> None:
        """Send a frame, which is lost on a socket that is deaf."""
        from aiohttp import WSMsgType

        if self.is_there and not self.is_deaf:
            self._frames.append(Frame(WSMsgType[kind], data))
            self._wake()

    def tell(self, envelope: Envelope) -> bool:
        """Send an envelope; return whether it arrives."""
        if not self.is_there or self.is_deaf:
            return False
        self._owed[f"envelope-{envelope.number}"] = envelope
        self.push("TEXT", envelope.text())
        return True

    def end(self) -> None:
        """End it for both sides."""
        if self.is_open:
            self.is_open = False
            self._sockets.drop(self)
            if not self.life.is_dead:
                self._wake()

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Sockets:
    """All sockets of the app."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sockets: list[SimulatedSocket] = []
        self._number = 0
        #: How likely each of these is, from 0 to 1: no connection, a second and a third copy, a delay of minutes.
        self.refused = self.repeats = self.lateness = 0.0
        self.met: dict[str, int] = {}

    def meet(self, name: str) -> None:
        """Count what happened."""
        self.met[name] = self.met.get(name, 0) + 1

    async def connect(self) -> SimulatedSocket:
        """Open a socket, or raise what a refused connection raises."""
        chance = self._world.random.random
        self._world.step("connect")
        await asyncio.sleep(0.01 + chance() * 0.2)
        if chance() < self.refused:
            self.meet("socket refused")
            raise ConnectionRefusedError
        socket = SimulatedSocket(self._world, self)
        if len(self.open) >= _MOST_SOCKETS:
            socket.push("TEXT", json.dumps({"type": "disconnect", "reason": "too_many_websockets"}))
            return socket
        self._sockets.append(socket)
        self.meet("socket opened")
        seconds = int(self._world.random.choice((300, 18_060)))
        socket.push("TEXT", json.dumps({"type": "hello", "debug_info": {"approximate_connection_time": seconds}}))
        self._ping(socket)
        return socket

    @property
    def open(self) -> list[SimulatedSocket]:
        """Those that are open; the system has closed those of programs that are gone."""
        self._sockets = [each for each in self._sockets if each.is_there]
        return self._sockets

    def drop(self, socket: SimulatedSocket) -> None:
        """Forget one that has ended."""
        self._sockets = [each for each in self._sockets if each is not socket]

    def tell(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        reached: Callable[[], object],
        acknowledged: Callable[[], object],
        attempt: int = 0,
    ) -> None:
        """Send something by any of the sockets; an event comes again where it is not acknowledged."""
        self._number += 1
        envelope = Envelope(self._number, kind, payload, reached, acknowledged, attempt)
        chance = self._world.random
        copies = 1 + sum(chance.random() < self.repeats for _ in range(2))
        # A slash command is sent at once or never, and does not tell when it was written.
        is_late = kind == "events_api" and chance.random() < self.lateness
        late = chance.uniform(660, 1200) if is_late else 0.0
        for copy in range(copies):
            self._world.after(late + 0.01 + chance.random() * (5.0 if copy else 0.3), partial(self._deliver, envelope))
        if copies > 1:
            self.meet("envelope came several times")
        if late:
            self.meet("envelope came late")
        if kind == "events_api":
            self._world.after(late + _ACKNOWLEDGE, partial(self._expect, envelope))

    def _deliver(self, envelope: Envelope) -> None:
        usable = [each for each in self.open if not each.is_leaving] or self.open
        if not usable:
            self.meet("envelope without a socket")
        elif self._world.random.choice(usable).tell(envelope):
            envelope.reached()
        else:
            self.meet("envelope lost")

    def _expect(self, envelope: Envelope) -> None:
        if envelope.is_acknowledged or envelope.attempt >= len(_RETRIES):
            return
        again = partial(
            self.tell, envelope.kind, envelope.payload, reached=envelope.reached, acknowledged=envelope.acknowledged,
            attempt=envelope.attempt + 1,
        )  # fmt: skip
        self.meet("envelope came again")
        self._world.after(_RETRIES[envelope.attempt], again)

    def _ping(self, socket: SimulatedSocket) -> None:
        if socket.is_there:
            socket.push("PING", b"Ping from applink-1")
            self._world.after(_PING, partial(self._ping, socket))

    # --- faults

    def break_one(self) -> None:
        """Let something become of a socket: its end, its announced end, or silence."""
        if not self.open:
            return
        socket = self._world.random.choice(self.open)
        fault = self._world.random.choice(("cut", "announced", "deaf"))
        self.meet(f"socket {fault}")
        if fault == "cut":
            socket.end()
        elif fault == "deaf":
            socket.is_deaf = True
        else:
            socket.is_leaving = True
            socket.push("TEXT", json.dumps({"type": "disconnect", "reason": "warning"}))
            self._world.after(_WARNING, socket.end)
