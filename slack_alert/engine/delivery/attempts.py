"""Attempts to deliver a message, of which every outcome is a `SendResult`."""

from __future__ import annotations

import logging
from datetime import tzinfo

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus, fault
from slack_alert.engine.delivery.prepare import Receipts, with_late_time
from slack_alert.engine.ports import Channel, Clock

log = logging.getLogger(__name__)


class Attempts:
    """Makes attempts to send; used by the sender, on its loop."""

    def __init__(self, receipts: Receipts, clock: Clock, zone: tzinfo) -> None:
        self._receipts = receipts
        self._clock = clock
        self._zone = zone

    async def make(self, channel: Channel, delivery: Delivery) -> SendResult:
        """Send a delivery once, with the receipt of the message it follows; never raise."""
        try:
            joined = self._receipts.joined(delivery)
            outcome = await channel.send(*with_late_time(joined, now=self._clock.now(), zone=self._zone))
            if not isinstance(outcome, SendResult):
                raise TypeError(f"{channel.name} answered {outcome!r}")
        except StoreError as error:
            log.warning("receipt not readable", extra={"delivery": delivery.id, "reason": str(error)})
            return SendResult(SendStatus.RETRY, reason=str(error))
        except Exception as error:
            # It proves nothing about the message, and the next reload or release may fix it: the message is retried.
            log.exception("channel failed", extra={"channel": channel.name, "delivery": delivery.id})
            return fault(error)
        return outcome
