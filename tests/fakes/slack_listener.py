"""The socket under the fake Slack: counts connections, goes away and comes back, breaks connections on purpose."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fakes.slack_faults import Answer

_LINGER_FOR_NO_TIME = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """One port on loopback, kept across restarts."""

    def __init__(self, serve: Serve, *, port: int) -> None:
        self.port = port
        self.connections = 0
        self._serve = serve
        self._protocols: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._return: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._server is not None:
            return
        self._protocols = web.Server(self._serve, access_log=None)
        self._server = await asyncio.get_running_loop().create_server(self._connected, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listening socket and cut what is open."""
        server, protocols = self._server, self._protocols
        self._server = self._protocols = None
        if server is None or protocols is None:
            return
        server.close()
        for protocol in protocols.connections:
            if protocol.transport is not None:
                reset(protocol.transport)
        await protocols.shutdown(timeout=0.01)  # zero would wait for slow answers without end

    async def away(self, seconds: float, *, after: float = 0.0) -> None:
        """Stop and come back by itself; a later call takes the former one's place."""
        if self._return is not None:
            self._return.cancel()
        self._return = asyncio.create_task(self._come_back(seconds, after=after))
        await asyncio.sleep(0)  # without `after`, the socket is closed when this returns

    async def close(self) -> None:
        if self._return is not None:
            self._return.cancel()
        await self.stop()
        # an answer may still be kept back for a caller who is long gone
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _come_back(self, seconds: float, *, after: float) -> None:
        if after:
            await asyncio.sleep(after)
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()

    def _connected(self) -> asyncio.Protocol:
        assert self._protocols is not None
        self.connections += 1
        return self._protocols()


async def deliver(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Put the answer on the wire, or break the connection in its place."""
    if answer.delay:
        await asyncio.sleep(answer.delay)
    if not answer.broken:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.cut:
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None and answer.cut:
        request.transport.close()  # a reset could overtake the half that was written
    elif request.transport is not None:
        reset(request.transport)
    return response


def reset(transport: asyncio.BaseTransport) -> None:
    """Break a connection so that the peer sees a reset, not an orderly end."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NO_TIME)
    assert isinstance(transport, asyncio.Transport)
    transport.abort()
