"""A WebSocket of Stream mode: reads its frames, acknowledges them, and notes what tells whether it is alive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from slack_alert.channels.dingtalk.inbound.reading import read_object
from slack_alert.channels.slack.inbound.deadline import within
from slack_alert.core.structs import Struct

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

#: In seconds, in which a frame is sent, or a socket closed.
_SEND_SECONDS, _CLOSE_SECONDS = 1.0, 2.0


class StreamFrame(Struct, frozen=True):
    """A frame of DingTalk's."""

    #: `SYSTEM`, `EVENT` or `CALLBACK`.
    kind: str
    topic: str
    #: By which it is acknowledged.
    message_id: str
    #: A text in JSON, as a rule.
    data: object
    #: When it was sent, in milliseconds, as a number or as digits.
    time: object = None


class StreamSocket:
    """A socket; what came by it is acknowledged by it."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        self.since = self.heard = asyncio.get_running_loop().time()
        #: Whether DingTalk has said anything by it but that it will end.
        self.has_spoken = False
        #: Whether DingTalk has said that it will end: it brings nothing more, though the connection lives on.
        self.is_announced = False
        #: Whether nothing came by it for too long.
        self.is_silent = False
        self._connection = connection
        self._ending, self._ended, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._settled.set()
        self._owed = 0

    async def frames(self) -> AsyncGenerator[StreamFrame | None, None]:
        """Yield what DingTalk sends until the socket ends, None for what is no frame.

        Its pings are answered. Answers to ours prove nothing: sockets that bring nothing any more give them, too.
        """
        from aiohttp import WSMsgType

        while True:
            received = await self._connection.receive()
            if received.type is WSMsgType.PONG:
                continue
            self.heard = asyncio.get_running_loop().time()
            if received.type is WSMsgType.PING:
                await self._send(self._connection.pong(received.data))
            elif received.type is WSMsgType.TEXT:
                yield read_frame(received.data)
            elif received.type is WSMsgType.BINARY:
                yield None
            else:
                return

    async def ping(self) -> None:
        await self._send(self._connection.ping())

    async def acknowledge(self, frame: StreamFrame, data: object) -> None:
        """Tell DingTalk that a frame of this socket needs not be sent again; where it cannot be told, it may be."""
        headers = {"messageId": frame.message_id, "contentType": "application/json"}
        answer = {"code": 200, "headers": headers, "message": "OK", "data": data}
        await self._send(self._connection.send_str(json.dumps(answer)))

    def owe(self) -> None:
        """Note that a frame is being taken."""
        self._owed += 1
        self._settled.clear()

    def settle(self) -> None:
        """Note that a frame was taken, or was not."""
        self._owed -= 1
        if not self._owed:
            self._settled.set()

    def announce(self) -> None:
        """Note that DingTalk will end it."""
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
        """Wait for what it still brings, and until all is taken; not longer than so many seconds."""
        await _happens(self._ended, end)
        await _happens(self._settled, settled)

    async def close(self) -> None:
        with suppress(asyncio.TimeoutError):
            await within(_CLOSE_SECONDS, self._connection.close())

    async def _send(self, sending: Any) -> None:  # Any: an awaitable of the vendor's
        """Send, unless the socket has ended, or takes nothing."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await within(_SEND_SECONDS, sending)


def read_frame(text: str) -> StreamFrame | None:
    """Return the frame in a text, or None where it is none; one without an id cannot be acknowledged."""
    content = read_object(text) or {}
    headers = content.get("headers")
    if not isinstance(headers, dict):
        return None
    kind, topic, message_id = content.get("type"), headers.get("topic", ""), headers.get("messageId")
    if not (isinstance(kind, str) and isinstance(topic, str) and isinstance(message_id, str)):
        return None
    if not 0 < len(message_id) <= _MOST_ID or not message_id.isascii():
        return None
    return StreamFrame(kind, topic, message_id, content.get("data"), headers.get("time"))


_MOST_ID = 200


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        await within(seconds, event.wait())
    except asyncio.TimeoutError:
        return False
    return True
