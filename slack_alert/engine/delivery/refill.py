"""Reads deliveries that wait in the store into memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.engine.delivery.lane import KEPT, Lane
from slack_alert.engine.ports import Clock

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


class Refill:
    """Reads waiting deliveries page by page; used by the sender, on its loop."""

    def __init__(self, waiting: Callable[[str | None, int, int], list[Delivery]], clock: Clock) -> None:
        self._waiting = waiting
        self._clock = clock

    def everything(self) -> Iterator[Delivery]:
        """Yield the waiting deliveries of all addresses, oldest first."""
        after = 0
        while page := self._waiting(None, after, KEPT):
            after = page[-1].id
            yield from page

    async def load_page(self, lane: Lane) -> None:
        """Add the next page to the lane; retry for as long as the store cannot be read."""
        while (page := self._page(lane)) is None:
            await self._clock.sleep(_RETRY_SECONDS)
        lane.refill(page)

    def _page(self, lane: Lane) -> list[Delivery] | None:
        try:
            return self._waiting(str(lane.address), lane.last, KEPT)
        except StoreError as error:
            log.warning("outbox not readable", extra={"reason": str(error)})
            return None
