"""Answers to people at terminals of this machine: each listens on loopback, and shows what is said to it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from slack_alert.core.content.pieces import fallback
from slack_alert.core.content.render import on_terminal
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import Struct, Unreadable, from_json, to_json

#: In seconds.
_TIMEOUT = 5.0
_ACCEPTED = b"ok\n"
_LONGEST = 1 << 22
_GONE = SendResult(SendStatus.DESTINATION, reason="the terminal has gone", hint="Ask again there.")


class TerminalMessage(Struct, frozen=True):
    """A message to a terminal."""

    token: str
    #: The message that it is, or that it replaces.
    key: str
    text: str
    is_edit: bool


class TerminalChannel:
    """Sends to terminals; the conversation is the port on which one listens, and the secret that it expects."""

    name = "terminal"

    async def open(self) -> None:
        """Do nothing: each message has a connection of its own."""

    async def close(self) -> None:
        """Do nothing, as above."""

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that everything can be done, or is done in its place by `send`."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Send a message; a terminal that has gone never comes back."""
        message = delivery.message
        port, _, token = message.to.conversation.partition("-")
        is_edit = message.manner is DeliveryMode.EDIT
        said = on_terminal(fallback(message.piece) if text is None else text, message.origin.job)
        line = to_json(TerminalMessage(token, message.root if is_edit else message.key, said, is_edit))
        try:
            return await asyncio.wait_for(_exchange(int(port), line), _TIMEOUT)
        except (OSError, ValueError, asyncio.TimeoutError):
            return _GONE

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the port's
        """Return None: a terminal keeps nothing."""
        return None


async def _exchange(port: int, line: bytes) -> SendResult:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(line + b"\n")
        await writer.drain()
        answer = await reader.readline()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return SendResult(SendStatus.SENT) if answer == _ACCEPTED else _GONE


class TerminalListener:
    """The side of the terminal: calls `show` with each message."""

    def __init__(self, show: Callable[[TerminalMessage], object]) -> None:
        self._show = show
        self._token = secrets.token_hex(16)
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; return the conversation that leads here."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST)
        return f"{self._server.sockets[0].getsockname()[1]}-{self._token}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            message = from_json((await reader.readline()).decode(), TerminalMessage)
            if secrets.compare_digest(message.token, self._token):
                self._show(message)
                writer.write(_ACCEPTED)
                await writer.drain()
        except (OSError, ValueError, Unreadable):
            pass  # Not from the program.
        finally:
            writer.close()
