"""A channel for tests: it records deliveries and answers with given results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from slack_alert.core.content.pieces import Text, fallback
from slack_alert.core.content.render import plain
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus


class RecordingChannel:
    """Answers every attempt with the next of `outcomes`; when they are used up, it accepts all.

    A result with a receipt was accepted, whatever its status: `SendResult(SendStatus.AMBIGUOUS, "7")` is a message that
    arrived though the answer was lost, and `lookup` finds it. With `can_tell=False` it cannot be asked.
    """

    def __init__(
        self, outcomes: Iterable[SendResult | SendStatus] = (), *, name: str = "slack", can_tell: bool = True
    ) -> None:
        self.name = name
        self.is_open = False
        #: All attempts, in order.
        self.attempts: list[Delivery] = []
        #: The accepted deliveries, in order.
        self.sent: list[Delivery] = []
        #: Their texts as people read them.
        self.texts: list[str] = []
        self._outcomes = iter(outcomes)
        self._can_tell = can_tell
        self._receipts: dict[str, str] = {}
        self._numbers = count(1)

    async def open(self) -> None:
        """Mark the channel as open."""
        self.is_open = True

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that everything can be done, or is done in its place by `send`."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Record the attempt and return the next outcome."""
        self.attempts.append(delivery)
        outcome = next(self._outcomes, SendStatus.SENT)
        if isinstance(outcome, SendStatus):
            outcome = SendResult(outcome, str(next(self._numbers)) if outcome is SendStatus.SENT else None)
        if outcome.status is SendStatus.SENT or outcome.receipt is not None:
            self._accept(delivery, text, outcome.receipt)
        return outcome

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the protocol's
        """Return the receipts of the accepted deliveries by id, or None if it cannot be asked."""
        if not self._can_tell:
            return None
        keys = {delivery.id: delivery.message.key for delivery in deliveries}
        return {id_: self._receipts[key] for id_, key in keys.items() if key in self._receipts}

    async def close(self) -> None:
        """Mark the channel as closed."""
        self.is_open = False

    def _accept(self, delivery: Delivery, text: str | None, receipt: str | None) -> None:
        piece = delivery.message.piece
        self.sent.append(delivery)
        self.texts.append(plain(text if text is not None and isinstance(piece, Text) else fallback(piece)))
        if receipt is not None:
            self._receipts[delivery.message.key] = receipt
