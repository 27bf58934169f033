"""Post JSON over kept-alive connections of our own.

Posts are the most frequent calls, and through the vendor's client and aiohttp they take four times the processor time.
Only plain HTTP/1.1 is understood; after any other answer the connection is closed and the message is ambiguous.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import zlib
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from slack_alert.core.structs import Struct, to_json
from slack_alert.engine.system.descriptors import spare_descriptors

#: A connection idle for longer is not used again: the server may be about to close it.
IDLE_SECONDS = 15.0
#: In bytes: a longer answer is not Slack's, and is not waited for.
MAX_BODY, _MAX_HEAD = 4 * 1024 * 1024, 64 * 1024
_VERSIONS = (b"HTTP/1.1 ", b"HTTP/1.0 ")
#: The delay until a host's next address is tried in parallel (RFC 8305, happy eyeballs).
_NEXT_ADDRESS_SECONDS = 0.25


class NotConnectedError(OSError):
    """No connection was made, so the request was surely not sent; the cause has the reason."""


class HttpResponse(Struct, frozen=True):
    """An HTTP response."""

    status: int
    #: The raw status line and headers.
    head: bytes
    body: bytes
    is_last: bool

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers with names in the form `Retry-After`; parsed on demand, as few answers need them."""
        fields = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return {name.title(): text.strip() for name, _, text in fields}


class HttpSession:
    """Kept-alive connections to a host."""

    def __init__(
        self, headers: Mapping[str, str], trust: ssl.SSLContext | None, *, answer_timeout: float, connect_timeout: float
    ) -> None:
        self._headers = headers
        self._trust = trust
        #: Timeouts in seconds: for an answer, and for connecting before that.
        self._answer_timeout = answer_timeout
        self._connect_timeout = connect_timeout
        self._idle: list[_Connection] = []
        #: The head of requests, by URL.
        self._heads: dict[str, bytes] = {}

    async def post(self, url: str, content: object) -> HttpResponse:
        """Post JSON and return the response.

        Raise `NotConnectedError`, another OSError if the request may have arrived, or ValueError for an answer that is
        not HTTP/1.
        """
        body = _encoded(content)
        request = b"%sContent-Length: %d\r\n\r\n%s" % (self._request_head(url), len(body), body)
        connection = self._take_idle() or await self._connect(url)
        reading = await connection.exchange(request, self._answer_timeout)
        self._idle.append(connection)
        return reading

    def close(self) -> None:
        """Close all idle connections."""
        for connection in self._idle:
            connection.close()

    def _request_head(self, url: str) -> bytes:
        if url not in self._heads:
            self._heads[url] = _request_head(url, self._headers)
        return self._heads[url]

    def _take_idle(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    async def _connect(self, url: str) -> _Connection:
        try:
            with spare_descriptors():
                return await asyncio.wait_for(self._open(url), self._connect_timeout)
        except (OSError, asyncio.TimeoutError) as error:
            raise NotConnectedError from error

    async def _open(self, url: str) -> _Connection:
        """Connect to the first of a host's addresses that accepts.

        asyncio's own race between addresses leaves an open socket behind where it is cancelled at its very end.
        """
        from aiohappyeyeballs import start_connection

        address = urlsplit(url)
        trust = self._ssl_context() if address.scheme == "https" else None
        name = address.hostname or ""
        loop = asyncio.get_running_loop()
        # As bytes: for a text Python loads its tables for international names.
        host = name.encode() if name.isascii() else name
        found = await loop.getaddrinfo(host, address.port or (443 if trust else 80), type=socket.SOCK_STREAM)
        sock = await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        _, connection = await loop.create_connection(
            _Connection, sock=sock, ssl=trust, server_hostname=name if trust else None
        )
        return connection

    def _ssl_context(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust


class _Connection(asyncio.Protocol):
    """A connection, for one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._used_at = 0.0
        #: The deadline of the answer, and the timer that checks it; one timer serves several answers, which is cheaper.
        self._until = 0.0
        self._watch: asyncio.TimerHandle | None = None

    @property
    def is_usable(self) -> bool:
        fresh = asyncio.get_running_loop().time() - self._used_at < IDLE_SECONDS
        return fresh and not self._transport.is_closing()

    async def exchange(self, request: bytes, seconds: float) -> HttpResponse:
        """Return the response to a request; a timeout or cancellation closes the connection."""
        loop = asyncio.get_running_loop()
        self._received = b""
        self._answer = loop.create_future()
        self._until = loop.time() + seconds
        if self._watch is None:
            self._watch = loop.call_at(self._until, self._check_deadline, loop)
        try:
            self._transport.write(request)
            reading = await self._answer
        except BaseException:
            self._transport.abort()
            raise
        finally:
            self._answer = None
        self._used_at = loop.time()
        if reading.is_last:
            self.close()
        return reading

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            return self._transport.abort()  # There was no request.
        self._received += data
        return self._parse(is_ended=False)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason does not matter
        self._parse(is_ended=True)
        self._fail(ConnectionResetError())

    def _parse(self, *, is_ended: bool) -> None:
        try:
            reading = parse_response(self._received, is_ended=is_ended)
        except ValueError as error:
            self._fail(error)
            return
        if reading is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(reading)

    def _check_deadline(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fail the answer after its deadline, or set the timer again for a later deadline."""
        self._watch = None
        if self._answer is None:
            return
        if loop.time() < self._until:
            self._watch = loop.call_at(self._until, self._check_deadline, loop)
        else:
            self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _encoded(content: object) -> bytes:
    try:
        return to_json(content)
    except (UnicodeEncodeError, TypeError):  # Half of a surrogate pair, or a subclass of str.
        return json.dumps(content).encode()


def parse_response(received: bytes, *, is_ended: bool) -> HttpResponse | None:
    """Return the response in the bytes received, or None while it is incomplete; raise ValueError for no HTTP/1."""
    head, end, rest = _split_head(received)
    interim = 0
    # Interim responses are skipped; 101 is none, as another protocol follows it.
    while end and head[9:10] == b"1" and head[9:12] != b"101":
        interim += len(head)
        head, end, rest = _split_head(rest)
    if len(head) + interim > _MAX_HEAD:
        raise ValueError("a head without end")
    if not end:
        return None
    status = int(head.partition(b"\r\n")[0].split(b" ")[1])
    if status < 200:
        raise ValueError("another protocol from here on")
    fields = head.lower()
    body = b"" if status in _WITHOUT_BODY else _body(rest, fields, is_ended=is_ended)
    if body is None:
        return None
    is_last = head.startswith(b"HTTP/1.0") or _header(fields, b"connection") == b"close"
    return HttpResponse(status, head, _decompressed(body), is_last)


#: No Content and Not Modified: responses without a body.
_WITHOUT_BODY = frozenset({204, 304})


def _split_head(received: bytes) -> tuple[bytes, bytes, bytes]:
    if not received.startswith(_VERSIONS) and not any(version.startswith(received) for version in _VERSIONS):
        raise ValueError("no answer of HTTP/1")
    return received.partition(b"\r\n\r\n")


def _body(rest: bytes, fields: bytes, *, is_ended: bool) -> bytes | None:
    if _header(fields, b"transfer-encoding") == b"chunked":
        return _join_chunks(rest)
    length = _header(fields, b"content-length")
    size = len(rest) if length is None else int(length)
    if not 0 <= size <= MAX_BODY:
        raise ValueError(f"{size} bytes")
    if length is None:
        return rest if is_ended else None
    if len(rest) > size:
        raise ValueError("more than one answer")
    return rest if len(rest) == size else None


def _decompressed(body: bytes) -> bytes:
    """Return the body, decompressed where a proxy compressed it unasked; no JSON starts with these bytes."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacking = zlib.decompressobj(31)
    try:
        content = unpacking.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacking.eof:
        raise ValueError("broken off, or too many bytes")
    return content


def _header(fields: bytes, name: bytes) -> bytes | None:
    """Return the value of a header, all in lower case; parsing all headers takes longer than the rest of a post."""
    _, found, rest = fields.partition(b"\r\n%s:" % name)
    return rest.partition(b"\r\n")[0].strip() if found else None


def _join_chunks(chunks: bytes) -> bytes | None:
    body, at = b"", 0
    while (end := chunks.find(b"\r\n", at)) >= 0:
        size = int(chunks[at:end].partition(b";")[0], 16)
        if size < 0 or size + len(body) > MAX_BODY:
            raise ValueError(size)
        if size == 0:  # Trailers up to an empty line are ignored.
            return body if chunks.find(b"\r\n\r\n", end) >= 0 else None
        body += chunks[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return None


def _request_head(url: str, headers: Mapping[str, str]) -> bytes:
    address = urlsplit(url)
    fields = {**headers, "Host": address.netloc.rpartition("@")[2], "Accept-Encoding": "identity"}
    if not "".join(fields.values()).isprintable():
        raise ValueError("a header holds what would end it")
    lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"POST {address.path} HTTP/1.1\r\n{lines}".encode("latin-1")
