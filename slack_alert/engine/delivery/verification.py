"""Messages that may have been accepted already: the channel is asked before any of them is repeated."""

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
    """Asks a channel for as long as it cannot answer; used by the sender, on its loop."""

    def __init__(
        self,
        last_receipt: Callable[[str], str | None],
        joined: Callable[[Delivery], Delivery],
        delay: Callable[[SendResult, int, timedelta], timedelta | None],
        clock: Clock,
    ) -> None:
        self._last_receipt = last_receipt
        #: Gives a delivery with the receipt of what it follows.
        self._joined = joined
        self._delay = delay
        self._clock = clock

    async def verify(self, channel: Channel, deliveries: Sequence[Delivery], stall: LaneFailure) -> Mapping[int, str]:
        """Insist on an answer for as long as a message is tried."""
        asked, began = 0, self._clock.monotonic()
        while isinstance(found := await self._answer(channel, deliveries), SendResult):
            asked += 1
            now = self._clock.monotonic()
            stall.record_failure(found, now)
            tried = timedelta(seconds=now - began)
            # Asked again as an attempt is made again, even where it stumbled: after `give_up` the message is repeated.
            delay = self._delay(SendResult(SendStatus.RETRY), asked, tried)
            if delay is None:
                return {}
            await self._clock.sleep(max(delay, found.after or delay).total_seconds())
        return found

    async def _answer(self, channel: Channel, deliveries: Sequence[Delivery]) -> Mapping[int, str] | SendResult:
        """Ask once; an outcome: ask again."""
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
            # Who stumbles over the question has not answered that the message is not there.
            log.exception("channel failed", extra={"channel": channel.name, "delivery": first.id})
            return fault(error)
