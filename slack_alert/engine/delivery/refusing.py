"""Channels that take no message: one that is not configured, and one that is closed for want of credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus


class RefusingChannel:
    """Answers every message with the same result; `accepted` is what it knows of earlier ones (None: nothing)."""

    def __init__(self, name: str, result: SendResult, *, accepted: Mapping[int, str] | None = None) -> None:
        self.name = name
        self._result = result
        self._accepted = accepted

    async def open(self) -> None:
        """Do nothing."""

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - as every channel
        """Return that nothing is changed for its sake."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:  # noqa: ARG002 - as every channel
        """Refuse it."""
        return self._result

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - as every channel
        """Return what is known of earlier messages."""
        return self._accepted

    async def close(self) -> None:
        """Do nothing."""


def unknown_channel(name: str, known: Iterable[str]) -> RefusingChannel:
    """Return the channel of messages whose own was taken out of the configuration: they are dead."""
    hint = f"The channels are: {', '.join(sorted(known))}."
    return RefusingChannel(name, SendResult(SendStatus.DESTINATION, reason=f"there is no channel {name!r}", hint=hint))


def closed_channel(name: str, reason: str, hint: str) -> RefusingChannel:
    """Return a channel that refuses as for credentials: messages wait, and one attempt now and then is made."""
    return RefusingChannel(name, SendResult(SendStatus.CREDENTIALS, reason=reason, hint=hint), accepted={})
