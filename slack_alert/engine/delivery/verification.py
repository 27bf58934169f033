"""Verifies messages that may have been accepted already: the channel is asked before they are repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from slack_alert.core.errors import NotNow, StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus, fault
from slack_alert.engine.delivery.lane import LaneFailure
from slack_alert.engine.ports import Channel, Clock

log = logging.getLogger(__name__)


class DeliveryVerifier:
    """Asks a channel which deliveries it accepted; used by the sender, on its loop."""

    def __init__(
        self,
        last_receipt: Callable[[str], str | None],
        joined: Callable[[Delivery], Delivery],
        delay: Callable[[SendResult, int, timedelta], timedelta | None],
        clock: Clock,
    ) -> None:
        self._last_receipt = last_receipt
        #: Returns a delivery with the receipt of the message it follows.
        self._joined = joined
        self._delay = delay
        self._clock = clock

    async def verify(self, channel: Channel, deliveries: Sequence[Delivery], stall: LaneFailure) -> Mapping[int, str]:
        """Return the receipts of the accepted deliveries by id; retry for as long as a message would be retried."""
        asked, began = 0, self._clock.monotonic()
        while isinstance(found := await self._answer(channel, deliveries), SendResult):
            asked += 1
            now = self._clock.monotonic()
            stall.record_failure(found, now)
            tried = timedelta(seconds=now - began)
            # Repeated like an attempt to send, even after an error of ours: after `give_up` the message is sent again.
            delay = self._delay(SendResult(SendStatus.RETRY), asked, tried)
            if delay is None:
                return {}
            await self._clock.sleep(max(delay, found.after or delay).total_seconds())
        return found

    async def _answer(self, channel: Channel, deliveries: Sequence[Delivery]) -> Mapping[int, str] | SendResult:
        """Ask once; return a SendResult where the request is to be repeated."""
        first = deliveries[0]
        try:
            joined = [self._joined(delivery) for delivery in deliveries]
            found = await channel.lookup(joined, self._last_receipt(str(first.message.to))) or {}
            return {delivery.id: found[delivery.id] for delivery in joined if delivery.id in found}
        except (NotNow, StoreError) as error:
            log.info("delivery in doubt", extra={"delivery": first.id, "reason": str(error)})
            after = error.after if isinstance(error, NotNow) else None
            return SendResult(SendStatus.WAIT if after else SendStatus.RETRY, reason=str(error), after=after)
        except Exception as error:
            # An error in the channel does not prove that the message was not accepted.
            log.exception("channel failed", extra={"channel": channel.name, "delivery": first.id})
            return fault(error)
