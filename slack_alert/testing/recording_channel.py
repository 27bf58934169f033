"""A channel for tests: it keeps what it was given and answers as the test says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from slack_alert.core.content.pieces import Text, fallback
from slack_alert.core.content.render import plain
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus


class RecordingChannel:
    """Answers each attempt with the next of `outcomes`; when they are used up, everything is accepted.

    An outcome with a receipt was accepted, whatever its fate: `Outcome(Fate.AMBIGUOUS, "7")` is a message that arrived
    though the answer was lost, and `find` will find it. With `can_tell=False` it cannot be asked.
    """

    def __init__(
        self, outcomes: Iterable[SendResult | SendStatus] = (), *, name: str = "slack", can_tell: bool = True
    ) -> None:
        self.name = name
        self.is_open = False
        #: Every attempt, in order, as it was made.
        self.attempts: list[Delivery] = []
        #: What was accepted, in order.
        self.sent: list[Delivery] = []
        #: The same as people read it.
        self.texts: list[str] = []
        self._outcomes = iter(outcomes)
        self._can_tell = can_tell
        self._receipts: dict[str, str] = {}
        self._numbers = count(1)

    async def open(self) -> None:
        """Note that it is open."""
        self.is_open = True

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Keep the attempt and give the next outcome."""
        self.attempts.append(delivery)
        outcome = next(self._outcomes, SendStatus.SENT)
        if isinstance(outcome, SendStatus):
            outcome = SendResult(outcome, str(next(self._numbers)) if outcome is SendStatus.SENT else None)
        if outcome.fate is SendStatus.SENT or outcome.receipt is not None:
            self._accept(delivery, text, outcome.receipt)
        return outcome

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the protocol's
        """Return the receipts of those that were accepted."""
        if not self._can_tell:
            return None
        keys = {delivery.id: delivery.message.key for delivery in deliveries}
        return {id_: self._receipts[key] for id_, key in keys.items() if key in self._receipts}

    async def close(self) -> None:
        """Note that it is closed."""
        self.is_open = False

    def _accept(self, delivery: Delivery, text: str | None, receipt: str | None) -> None:
        piece = delivery.message.piece
        self.sent.append(delivery)
        self.texts.append(plain(text if text is not None and isinstance(piece, Text) else fallback(piece)))
        if receipt is not None:
            self._receipts[delivery.message.key] = receipt
