"""A WebSocket of Socket Mode: reads its frames, and notes what tells whether it is alive, deaf or about to end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.deadline import within
from slack_alert.channels.slack.inbound.translate import SlackInstallation
from slack_alert.core.retry import SendResult, SendStatus

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

log = logging.getLogger(__name__)

#: For what Slack does not tell in `hello`, in seconds.
USUAL_LIFE = 18_000.0
#: In which a frame is sent, or a socket closed.
_SEND_SECONDS, _CLOSE_SECONDS = 1.0, 2.0
Frame = Mapping[str, Any]  # Any: JSON of Slack's


class SlackWebSocket:
    """A socket; what came by it is acknowledged by it."""

    def __init__(self, connection: ClientWebSocketResponse, installation: SlackInstallation) -> None:
        self.installation = installation
        self.since = self.heard = asyncio.get_running_loop().time()
        #: How long it is expected to live, as Slack tells in `hello`.
        self.life = USUAL_LIFE
        #: What others have brought since this one has brought something.
        self.missed = 0
        #: Whether Slack has said that it will end.
        self.is_announced = False
        self._connection = connection
        self._ending, self._ended, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._settled.set()
        self._owed = 0

    async def greet(self) -> None:
        """Wait for `hello`; raise `RefusedError` where something else comes."""
        async with aclosing(self.frames()) as frames:
            async for frame in frames:
                if frame.get("type") == "hello":
                    self.life = _life(frame)
                    return
                if frame.get("type") == "disconnect":
                    raise refused(str(frame.get("reason"))[:100])
        raise refused("closed")

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield what Slack sends until the socket ends; its pings are answered, and ours prove nothing."""
        from aiohttp import WSMsgType

        while True:
            frame = await self._connection.receive()
            if frame.type is WSMsgType.PONG:
                continue
            self.heard = asyncio.get_running_loop().time()
            if frame.type is WSMsgType.PING:
                await self._send(self._connection.pong(frame.data))
            elif frame.type is WSMsgType.TEXT:
                if (content := _read(frame.data)) is not None:
                    yield content
            elif frame.type is not WSMsgType.BINARY:
                return

    async def ping(self) -> None:
        await self._send(self._connection.ping())

    async def acknowledge(self, envelope: str) -> None:
        """Tell Slack that an envelope of this socket needs not be sent again; where it cannot be told, it is."""
        await self._send(self._connection.send_str(json.dumps({"envelope_id": envelope})))

    def owe(self) -> None:
        """Note that an envelope is being taken."""
        self._owed += 1
        self._settled.clear()

    def settle(self) -> None:
        """Note that an envelope was taken, or was not."""
        self._owed -= 1
        if not self._owed:
            self._settled.set()

    def announce(self) -> None:
        """Note that Slack will end it."""
        self.is_announced = True
        self._ending.set()

    def end(self) -> None:
        """Note that it has ended."""
        self._ending.set()
        self._ended.set()

    async def ends(self, *, within: float) -> bool:
        """Return whether its end was announced, or has come, within so many seconds."""
        return await _happens(self._ending, within)

    async def wait_for_rest(self, *, end: float, settled: float) -> None:
        """Wait for what it still brings where its end was announced, and until all is taken; not longer than said."""
        if self.is_announced:
            await _happens(self._ended, end)
        await _happens(self._settled, settled)

    async def close(self) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._connection.close(), _CLOSE_SECONDS)

    async def _send(self, sending: Any) -> None:  # Any: an awaitable of the vendor's
        """Send, unless the socket has ended, or takes nothing."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await within(_SEND_SECONDS, sending)


def refused(reason: str) -> RefusedError:
    """Return the error for a socket that Slack does not open, by the reason that it gives."""
    return RefusedError(SendResult(SendStatus.RETRY, reason=reason, hint=_HINTS.get(reason, "")))


_HINTS = {
    "too_many_websockets": "Slack allows ten sockets: another program uses the same `app_token`; give each its own app",
    "closed": "the connection ended before Slack said hello",
}


def _life(hello: Frame) -> float:
    told = hello.get("debug_info")
    seconds = told.get("approximate_connection_time") if isinstance(told, dict) else None
    return float(seconds) if isinstance(seconds, int) and 0 < seconds < 1_000_000 else USUAL_LIFE


def _read(text: str) -> Frame | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        return content
    log.warning("unreadable frame", extra={"length": len(text)})
    return None


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
