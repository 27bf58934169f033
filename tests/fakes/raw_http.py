"""A caller of a web server that writes bytes as they are, and a rig that serves routes on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_alert.engine.ports import WebRoutes
from slack_alert.settings import ListenAddress
from slack_alert.web.exchange import Site
from slack_alert.web.hosts import AllowedHosts
from slack_alert.web.server import WebServer

LOOPBACK = ListenAddress("127.0.0.1", 0)


@dataclass(frozen=True)
class Heard:
    """What a server answered; status 0: it closed the connection without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@asynccontextmanager
async def serving(routes: WebRoutes, *hosts: str, at: ListenAddress = LOOPBACK) -> AsyncIterator[WebServer]:
    """Serve routes while the block goes on."""
    server = WebServer((at,), Site(routes, AllowedHosts((at,), None, hosts)))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    version: str = "1.1",
) -> bytes:
    """Return the bytes of a request; headers replace the usual ones, and empty ones are left out."""
    usual = {"Host": "127.0.0.1", "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**usual, **(headers or {})}.items() if value]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin1") + body


async def call(server: WebServer, *parts: bytes, pause: float = 0.0, ends: bool = False) -> Heard:
    """Write bytes, part by part, and return the first answer; a server that stops reading is no error.

    With `ends` nothing more can come, so that the server does not wait for the rest of what is incomplete.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        if ends:
            writer.write_eof()
        return parse(await read_answer(reader))
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Return everything up to the end of the connection, or of the first answer."""
    said = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65536), 10):
            said += chunk
            if is_whole(said):
                break
    except ConnectionError:
        pass
    return said


def is_whole(said: bytes) -> bool:
    head, end, body = said.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    return bool(end and lengths) and len(body) >= int(lengths[0])


def parse(said: bytes) -> Heard:
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Heard(int(first.split()[1]) if first else 0, {name.lower(): value.strip() for name, _, value in pairs}, body)


async def until(is_so: Callable[[], bool]) -> None:
    """Let other tasks of the loop run until something is so."""
    while not is_so():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.001)
