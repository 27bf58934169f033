"""Whatever apprise reaches, as a channel: each name of [channels] is one, and its messages are never edited."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slack_alert.core.content.markup import plain
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import Capabilities
from slack_alert.core.model.message import Delivery, MessageSeverity
from slack_alert.core.retry import SendResult, SendStatus

log = logging.getLogger(__name__)

WORDS = Capabilities(edit=False, thread=False, buttons=False, files=False, mentions=False, length=4_000)
_TITLE = 80
_INSTALL = "pip install 'slack-alert[apprise]', and start again"


class AppriseChannel:
    """A channel to one address of apprise; messages arrive at least once."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._service: Any = None  # Any: apprise has no type information
        #: Why nothing is sent; messages wait.
        self._closed = SendResult(SendStatus.CREDENTIALS, reason="apprise is not installed", hint=_INSTALL)

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that there are words only."""
        return WORDS

    async def open(self) -> None:
        """Import apprise, which takes a while; where it is not installed, messages wait."""
        try:
            apprise = await asyncio.to_thread(importlib.import_module, "apprise")
        except ImportError:
            log.error("apprise is not installed", extra={"channel": self.name, "hint": _INSTALL})  # noqa: TRY400 - that is all
            return
        self._service = apprise.Apprise()
        # It says what is wrong by its own log, and by False; the URL is a secret.
        if not self._service.add(self._url):
            self._service = None
            self._closed = SendResult(SendStatus.CREDENTIALS, reason="not an address of apprise", hint=_hint(self.name))
            log.error("not an address of apprise", extra={"channel": self.name, "hint": _hint(self.name)})

    async def close(self) -> None:
        """Do nothing: each message has connections of its own."""

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Attempt a delivery, on a thread; apprise tells whether it was accepted, and nothing else."""
        if self._service is None:
            return self._closed
        message = delivery.message
        said = plain(fallback(message.piece) if text is None else text)
        kind = "failure" if message.severity is MessageSeverity.ERROR else "info"
        is_sent = await asyncio.to_thread(
            self._service.notify, body=said, title=_title(said), notify_type=kind, body_format="text"
        )
        if is_sent:
            return SendResult(SendStatus.SENT)
        hint = f"the service did not take it: check [channels] {self.name}, and its log above"
        return SendResult(SendStatus.RETRY, reason="not accepted", hint=hint)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the port's
        """Return None: apprise cannot be asked."""
        return None


def _hint(name: str) -> str:
    return f"correct [channels] {name}: the forms are at https://appriseit.com/services"


def _title(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "slack-alert")
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
