"""Answers to callers of the HTTP API: a message is for whoever waits for it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from slack_alert.core.content.pieces import fallback
from slack_alert.core.content.render import on_terminal
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.retry import SendResult, SendStatus


class Heard:
    """What a caller was told so far; to be used on the loop of the channel."""

    def __init__(self) -> None:
        #: The number of the run that it is about; 0: none was told.
        self.run = 0
        self._texts: dict[str, str] = {}
        self._news = asyncio.Event()

    @property
    def text(self) -> str:
        """All messages, one below the other, each as it was edited last."""
        return "\n".join(self._texts.values())

    def add(self, key: str, text: str, run: int) -> None:
        """Add a message, or another text of one."""
        self._texts[key] = text
        self.run = run or self.run
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a message or an edit; return whether one came in time."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._news.clear()
        return True


class WebChannel:
    """Hands messages to callers that wait; who has gone reads of it in the history."""

    name = "web"

    def __init__(self) -> None:
        self._waiting: dict[str, Heard] = {}

    async def open(self) -> None:
        """Do nothing: callers come by themselves."""

    async def close(self) -> None:
        """Do nothing, as above."""

    @contextmanager
    def listen(self, conversation: str) -> Iterator[Heard]:
        """Yield what is told in a conversation meanwhile."""
        heard = self._waiting[conversation] = Heard()
        try:
            yield heard
        finally:
            del self._waiting[conversation]

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that everything can be done, or is done in its place by `send`."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Hand over a message; nobody need be there."""
        message = delivery.message
        if (heard := self._waiting.get(message.to.conversation)) is not None:
            key = message.root if message.manner is DeliveryMode.EDIT else message.key
            said = on_terminal(fallback(message.piece) if text is None else text, message.origin.job)
            heard.add(key, said, message.origin.run or 0)
        return SendResult(SendStatus.SENT)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the port's
        """Return None: no outcome is ambiguous."""
        return None
