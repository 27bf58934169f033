"""The session slack_sdk speaks through: JSON over kept-alive connections of its own, everything else by aiohttp.

To post is what this program does all day, and aiohttp's way takes three times the processor time. Only plain HTTP/1.1
is understood here; where anything else comes back, the connection is given up and the message is in doubt.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import ClientSession

#: A connection unused for longer is not used again: the other side may be about to close it.
IDLE_SECONDS = 15.0
#: Where a host has several addresses, the next one is tried so much later beside the first.
_NEXT_ADDRESS_SECONDS = 0.25


class NotConnectedError(OSError):
    """There was no connection, so the request was surely not sent; the cause says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, as AsyncWebClient reads it."""

    status: int
    #: By names as `Retry-After` is written, however they came.
    headers: Mapping[str, str]
    body: bytes
    is_last: bool
    #: Slack answers in JSON; what else there is turns out to be none.
    content_type = "application/json"

    async def text(self) -> str:
        return self.body.decode(errors="replace")

    async def json(self) -> object:
        return json.loads(self.body)


class Session:
    """As much of aiohttp's ClientSession as AsyncWebClient uses; JSON goes to one host only."""

    def __init__(self, plain: ClientSession, trust: ssl.SSLContext | None) -> None:
        self.plain = plain
        self._trust = trust
        self._idle: list[_Connection] = []
        #: The head of the last request and what it was made of; hardly any differs from the one before.
        self._head: tuple[str, Mapping[str, str], bytes] = ("", {}, b"")

    @property
    def closed(self) -> bool:
        """Whether AsyncWebClient has to open a session of its own."""
        return self.plain.closed

    def request(
        self,
        verb: str,
        url: str,
        **arguments: Any,  # Any: AsyncWebClient's
    ) -> AbstractAsyncContextManager[Any]:
        """Begin a request as aiohttp does; a proxy is aiohttp's affair."""
        if arguments.get("json") is None or arguments.get("proxy"):
            return self.plain.request(verb, url, **arguments)
        return _Post(self, url, arguments["headers"], arguments["json"])

    async def post(self, url: str, headers: Mapping[str, str], content: object) -> Reading:
        """Post JSON; raise `NotConnectedError`, another OSError where it may have arrived, ValueError for no HTTP."""
        body = json.dumps(content).encode()
        request = b"%sContent-Length: %d\r\n\r\n%s" % (self._begun(url, headers), len(body), body)
        connection = self._kept() or await self._connected(url)
        reading = await connection.exchange(request, self.plain.timeout.total or 0)
        self._idle.append(connection)
        return reading

    async def close(self) -> None:
        """Let go of all connections."""
        for connection in self._idle:
            connection.close()
        await self.plain.close()

    def _begun(self, url: str, headers: Mapping[str, str]) -> bytes:
        if self._head[:2] != (url, headers):
            self._head = (url, headers, _head(url, headers))
        return self._head[2]

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    async def _connected(self, url: str) -> _Connection:
        address = urlsplit(url)
        trust = self._trusted() if address.scheme == "https" else None
        port = address.port or (443 if trust else 80)
        loop = asyncio.get_running_loop()
        connecting = loop.create_connection(
            _Connection, address.hostname or "", port, ssl=trust, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS
        )
        try:
            _, connection = await asyncio.wait_for(connecting, self.plain.timeout.connect)
        except (OSError, asyncio.TimeoutError) as error:
            raise NotConnectedError from error
        return connection

    def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust


class _Post(AbstractAsyncContextManager[Reading]):
    """A post that is made when it is entered."""

    __slots__ = ("_content", "_headers", "_session", "_url")

    def __init__(self, session: Session, url: str, headers: Mapping[str, str], content: object) -> None:
        self._session = session
        self._url = url
        self._headers = headers
        self._content = content

    async def __aenter__(self) -> Reading:
        return await self._session.post(self._url, self._headers, self._content)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Leave the connection to the session."""


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[Reading] | None = None
        self._used_at = 0.0

    @property
    def is_usable(self) -> bool:
        fresh = asyncio.get_running_loop().time() - self._used_at < IDLE_SECONDS
        return fresh and not self._transport.is_closing()

    async def exchange(self, request: bytes, seconds: float) -> Reading:
        """Send a request and wait so long for its answer; whoever stops waiting ends the connection."""
        loop = asyncio.get_running_loop()
        self._received = b""
        self._answer = loop.create_future()
        patience = loop.call_later(seconds, self._fail, TimeoutError())
        try:
            self._transport.write(request)
            reading = await self._answer
        except BaseException:
            self._transport.abort()
            raise
        finally:
            patience.cancel()
            self._answer = None
        self._used_at = loop.time()
        if reading.is_last:
            self.close()
        return reading

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            return self._transport.abort()  # Nobody has asked.
        self._received += data
        return self._read(is_ended=False)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, the answer is missing
        self._read(is_ended=True)
        self._fail(ConnectionResetError())

    def _read(self, *, is_ended: bool) -> None:
        try:
            reading = read(self._received, is_ended=is_ended)
        except ValueError as error:
            self._fail(error)
            return
        if reading is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(reading)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def read(received: bytes, *, is_ended: bool) -> Reading | None:
    """Read an answer that has come so far; None: there is more to come. Raise ValueError where it is no HTTP/1."""
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = first.split(" ")[:2]
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise ValueError(version)
    headers = {name.title(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    body = _body(rest, headers, is_ended=is_ended)
    if body is None:
        return None
    is_last = version == "HTTP/1.0" or headers.get("Connection", "").lower() == "close"
    return Reading(int(status), headers, body, is_last)


def _body(rest: bytes, headers: Mapping[str, str], *, is_ended: bool) -> bytes | None:
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        return _joined(rest)
    if "Content-Length" not in headers:
        return rest if is_ended else None
    length = int(headers["Content-Length"])
    if len(rest) > length:
        raise ValueError("more than one answer")
    return rest if len(rest) == length else None


def _joined(chunks: bytes) -> bytes | None:
    body, at = b"", 0
    while (end := chunks.find(b"\r\n", at)) >= 0:
        size = int(chunks[at:end].partition(b";")[0], 16)
        if size == 0:  # What follows up to an empty line are fields nobody asked for.
            return body if chunks.find(b"\r\n\r\n", end) >= 0 else None
        body += chunks[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return None


def _head(url: str, headers: Mapping[str, str]) -> bytes:
    address = urlsplit(url)
    fields = {**headers, "Host": address.netloc.rpartition("@")[2], "Accept-Encoding": "identity"}
    if not "".join(fields.values()).isprintable():
        raise ValueError("a header holds what would end it")
    lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"POST {address.path} HTTP/1.1\r\n{lines}".encode("latin-1")
