"""A relay on loopback, on a thread of its own: an HTTP proxy that notes what is asked, or TLS before a server."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.fakes.loopback import CERTIFICATE


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Forward to whatever is asked for; return the address, and the first lines of what was asked for."""
    asked: list[str] = []
    with _relay(asked, None) as port:
        yield f"http://127.0.0.1:{port}", asked


@contextmanager
def secured(port: int) -> Iterator[int]:
    """Speak TLS as `localhost` before a server of this machine; return the port."""
    with _relay([], port) as its_port:
        yield its_port


@contextmanager
def _relay(asked: list[str], to: int | None) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    thread.start()
    relay = _Relay(asked, to)
    try:
        yield asyncio.run_coroutine_threadsafe(relay.start(), loop).result(5)
    finally:
        asyncio.run_coroutine_threadsafe(relay.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Relay:
    def __init__(self, asked: list[str], to: int | None) -> None:
        self._asked = asked
        self._to = to
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        context = None
        if self._to is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, port = b"", self._to
        if port is None:
            head = await reader.readuntil(b"\r\n\r\n")
            self._note(head)
            port = urlsplit(head.decode().split()[1]).port
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        far_writer.write(head)
        try:
            await asyncio.gather(_pipe(reader, far_writer, self._note), _pipe(far_reader, writer))
        finally:
            writer.close()
            far_writer.close()

    def _note(self, data: bytes) -> None:
        """Note the line of a request; further ones come by the same connection."""
        self._asked.append(data.partition(b"\r\n")[0].decode(errors="replace"))


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None] | None = None
) -> None:
    try:
        while data := await reader.read(65_536):
            if note is not None:
                note(data)
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()
