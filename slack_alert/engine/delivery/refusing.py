"""Where messages go whose channel was taken out of the configuration: back to the person, as dead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus


class Nowhere:
    """Refuses every message and says which channels there are."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self._known = known

    async def open(self) -> None:
        """Do nothing."""

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:  # noqa: ARG002
        """Refuse it."""
        hint = f"The channels are: {', '.join(sorted(self._known))}."
        return SendResult(SendStatus.DESTINATION, reason=f"there is no channel {self.name!r}", hint=hint)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002
        """Tell nothing."""
        return None

    async def close(self) -> None:
        """Do nothing."""


class Closed:
    """Refuses every message as for credentials, so that all of them wait and one attempt now and then is made."""

    def __init__(self, name: str, reason: str, hint: str) -> None:
        self.name = name
        self._outcome = SendResult(SendStatus.CREDENTIALS, reason=reason, hint=hint)

    async def open(self) -> None:
        """Do nothing."""

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:  # noqa: ARG002 - as every channel
        """Keep it."""
        return self._outcome

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - as every channel
        """Tell nothing."""
        return {}

    async def close(self) -> None:
        """Do nothing."""
