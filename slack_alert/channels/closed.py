"""A channel that takes nothing for now: what is meant for it is kept until it can be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import Fate, Outcome


class Closed:
    """Refuses every message as for credentials, so that all of them wait and one attempt now and then is made."""

    def __init__(self, name: str, reason: str, hint: str) -> None:
        self.name = name
        self._outcome = Outcome(Fate.CREDENTIALS, reason=reason, hint=hint)

    async def open(self) -> None:
        """Do nothing."""

    async def send(self, delivery: Delivery, text: str | None) -> Outcome:  # noqa: ARG002 - as every channel
        """Keep it."""
        return self._outcome

    async def find(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - as every channel
        """Tell nothing."""
        return {}

    async def close(self) -> None:
        """Do nothing."""
