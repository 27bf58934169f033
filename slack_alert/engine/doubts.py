"""Messages that may have been accepted already: the channel is asked before any of them is repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from slack_alert.core.backoff import Fate, Outcome
from slack_alert.core.errors import NotNow, StoreError
from slack_alert.core.model import Delivery
from slack_alert.core.structs import replace
from slack_alert.engine.ports import Channel, Clock
from slack_alert.engine.stalls import Stall

log = logging.getLogger(__name__)


class Doubts:
    """Asks a channel for as long as it cannot answer; used by the sender, on its loop."""

    def __init__(
        self,
        last_receipt: Callable[[str], str | None],
        joined: Callable[[Delivery], Delivery],
        delay: Callable[[Delivery, Outcome], timedelta | None],
        clock: Clock,
    ) -> None:
        self._last_receipt = last_receipt
        #: Gives a delivery with the receipt of what it follows.
        self._joined = joined
        self._delay = delay
        self._clock = clock

    async def found(self, channel: Channel, deliveries: Sequence[Delivery], stall: Stall) -> Mapping[int, str]:
        """Insist on an answer until the messages are so old that they would be given up."""
        asked = 0
        while isinstance(found := await self._answer(channel, deliveries), Outcome):
            asked += 1
            stall.note(found, self._clock.monotonic())
            delay = self._delay(replace(deliveries[0], attempts=asked), found)
            if delay is None:
                return {}
            await self._clock.sleep(delay.total_seconds())
        return found

    async def _answer(self, channel: Channel, deliveries: Sequence[Delivery]) -> Mapping[int, str] | Outcome:
        """Ask once; an outcome: ask again."""
        first = deliveries[0]
        try:
            joined = [self._joined(delivery) for delivery in deliveries]
            return await channel.find(joined, self._last_receipt(str(first.message.to))) or {}
        except (NotNow, StoreError) as error:
            log.info("delivery in doubt", extra={"delivery": first.id, "reason": str(error)})
            return Outcome(Fate.RETRY, reason=str(error))
        except Exception:
            # As with an attempt: a fault of the channel's own is no reason to keep the message for ever.
            log.exception("channel failed", extra={"channel": channel.name, "delivery": first.id})
            return {}
