"""The web server: accepts connections on the main loop, with limits on what a caller may take of time and memory.

Tornado reads and writes HTTP; nothing is imported of it, and nothing listens, unless `listen` is set.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Coroutine, Sequence
from typing import cast

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado.httputil import HTTPConnection, HTTPServerConnectionDelegate
from tornado.iostream import IOStream

from slack_alert.core.errors import SettingsError
from slack_alert.core.structs import Struct
from slack_alert.engine.ports import WebRoutes
from slack_alert.engine.system.descriptors import spare_descriptors
from slack_alert.settings import ListenAddress, Settings
from slack_alert.web.exchange import BodyBudget, Exchange, Site
from slack_alert.web.hosts import AllowedHosts

log = logging.getLogger(__name__)

#: In bytes: the headers of a request.
LARGEST_HEADERS = 32 * 1024
#: In seconds: how long a connection may be idle, headers and a body may take.
HEADER_LIMIT = 10.0
BODY_LIMIT = 10.0
#: Further connections are closed at once; each has a descriptor, which all of the program need.
MOST_CONNECTIONS = 200
#: In seconds: how long requests that have come whole are waited for at the end.
DRAIN = 3.0
#: In seconds: until connections are accepted again, where the system has no descriptor left.
_EXHAUSTED_PAUSE = 1.0


def web_server(settings: Settings, routes: WebRoutes) -> WebServer:
    """Return the server that the settings describe, not yet started."""
    hosts = AllowedHosts(settings.web_listen, settings.web_public_url, settings.web_allow_hosts)
    return WebServer(settings.web_listen, Site(routes, hosts))


class WebServer(HTTPServerConnectionDelegate):
    """Serves a site at some addresses; to be used from one event loop."""

    def __init__(self, addresses: Sequence[ListenAddress], site: Site) -> None:
        self._addresses = addresses
        self._site = site
        self._listeners: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._answering: set[asyncio.Task[None]] = set()
        self._open: set[HTTP1ServerConnection] = set()
        self._budget = BodyBudget()

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that are listened at; empty before the start and after the end."""
        return tuple(dict.fromkeys(int(listener.getsockname()[1]) for listener in self._listeners))

    def bind(self) -> None:
        """Take the addresses, before the start or by it; raise SettingsError where one cannot be listened at."""
        if self._listeners:
            return
        try:
            for address in self._addresses:
                self._listeners += _bind(address)
        except SettingsError:
            self._close_listeners()
            raise

    async def start(self) -> None:
        """Begin to serve; raise SettingsError where an address cannot be listened at."""
        self.bind()
        self._accepting = [asyncio.create_task(self._accept(listener)) for listener in self._listeners]
        shown = ", ".join(dict.fromkeys(_shown(listener) for listener in self._listeners))
        log.info("web server started", extra={"listen": shown})

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Accept nothing more, answer what has come whole, and close all connections."""
        for accepting in self._accepting:
            accepting.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        self._accepting = []
        self._close_listeners()
        if self._answering:
            await asyncio.wait(self._answering, timeout=DRAIN)
        late = list(self._answering)
        for answering in late:
            answering.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        while self._open:
            await next(iter(self._open)).close()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> Exchange:  # noqa: ARG002
        """Return what receives a request; called by Tornado."""
        return Exchange(self._site, self._budget, cast("HTTP1Connection", request_conn), self._start)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection; called by Tornado."""
        self._open.discard(cast("HTTP1ServerConnection", server_conn))

    def _start(self, answering: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno == errno.ECONNABORTED:
                    continue
                accepted = _accept_from_reserve(listener) if error.errno in _EXHAUSTED else None
                if accepted is None:
                    # Not at once: what cannot be accepted stays in the queue, and the loop would only turn.
                    await asyncio.sleep(_EXHAUSTED_PAUSE)
                    continue
                connection, address = accepted
            self._serve(connection, address)

    def _serve(self, connection: socket.socket, address: tuple[object, ...]) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        stream = IOStream(connection, max_buffer_size=_READ_AHEAD)
        opened = HTTP1ServerConnection(stream, _LIMITS, Peer(str(address[0])))
        self._open.add(opened)
        opened.start_serving(self)

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []


class Peer(Struct, frozen=True):
    """The other side of a connection; as a text, for Tornado's log."""

    ip: str

    def __str__(self) -> str:
        """Return its address."""
        return self.ip


def _bind(address: ListenAddress) -> list[socket.socket]:
    """Return a listening socket for each address of a name; those that this machine lacks are left out."""
    listeners: list[socket.socket] = []
    failed: Exception | None = None
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, numeric in sorted({(each[0], each[4]) for each in found}):
            port = listeners[0].getsockname()[1] if listeners else address.port
            try:
                listeners.append(_listener(family, (*numeric[:1], port, *numeric[2:])))
            except OSError as error:
                if error.errno not in _LACKING:
                    raise
                failed = error
    except (OSError, UnicodeError) as error:
        failed = error
        while listeners:
            listeners.pop().close()
    if not listeners:
        raise _refused(address, failed) from None
    return listeners


def _listener(family: int, address: tuple[str | int, ...]) -> socket.socket:
    # Not tornado.netutil.bind_sockets: it leaves the socket open where the address is taken.
    listener = socket.create_server(address, family=family, backlog=128)
    listener.setblocking(False)
    return listener


def _refused(address: ListenAddress, error: Exception | None) -> SettingsError:
    code = error.errno if isinstance(error, OSError) else None
    said, hint = _REASONS.get(code or 0, (f"it cannot be listened at ({_strerror(error)})", "Check the address."))
    return SettingsError(f"listen = {address}: {said}.", where="[web]", hint=hint)


def _strerror(error: Exception | None) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__


def _accept_from_reserve(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]] | None:
    try:
        with spare_descriptors():
            return listener.accept()
    except OSError:
        return None


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return str(ListenAddress(str(host), int(port)))


#: In bytes, of what a connection has sent and nobody asked for yet.
_READ_AHEAD = 256 * 1024
_LIMITS = HTTP1ConnectionParameters(
    max_header_size=LARGEST_HEADERS,
    header_timeout=HEADER_LIMIT,
    body_timeout=BODY_LIMIT,
    # Longer bodies are refused by the exchange, with an answer that says so.
    max_body_size=1 << 62,
)
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LACKING = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_REASONS = {
    errno.EADDRINUSE: ("the port is in use by another program", "End that program, or write another port."),
    errno.EACCES: ("this user may not listen at this port", "Write a port from 1024 on, such as 8080."),
    errno.EADDRNOTAVAIL: (
        "this machine has no such address",
        "Write 127.0.0.1 for this machine only, or 0.0.0.0 for all of its addresses.",
    ),
}
