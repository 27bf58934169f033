"""The deliveries of one address, and what stops a whole channel; used by the sender only."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from slack_alert.core.model import Address, Delivery

#: Deliveries of one lane kept in memory; the rest waits in the store.
KEPT = 500
#: Accepted messages of one lane whose mark is not committed yet; a crash may repeat at most these.
UNMARKED = 20


class Lane:
    """The deliveries of one address, in order."""

    __slots__ = ("address", "doubtful", "going", "last", "level", "queue", "refilled", "spilled", "unmarked")

    def __init__(self, address: Address, burst: int, now: float) -> None:
        self.address = address
        self.queue: deque[Delivery] = deque()
        #: The greatest id that was ever in the queue.
        self.last = 0
        #: More of this lane, with greater ids, waits in the store.
        self.spilled = False
        #: The first so many deliveries may have been accepted by a process that died.
        self.doubtful = 0
        self.level = float(burst)
        self.refilled = now
        self.unmarked = asyncio.Semaphore(UNMARKED)
        self.going: asyncio.Task[None] | None = None

    def add(self, delivery: Delivery) -> None:
        """Queue it in memory, or leave it in the store where there is no room."""
        if delivery.id <= self.last:  # sent again by a person, or met twice at the start
            if all(delivery.id != queued.id for queued in self.queue):
                self.queue.append(delivery)
        elif self.spilled or len(self.queue) >= KEPT:
            self.spilled = True
        else:
            self.queue.append(delivery)
            self.last = delivery.id

    def refill(self, page: Sequence[Delivery]) -> None:
        """Take more of what waits in the store."""
        self.spilled = len(page) == KEPT
        self.queue.extend(page)
        self.last = page[-1].id if page else self.last

    def remove(self, ids: Collection[int]) -> None:
        """Take out deliveries that are done or dropped."""
        while self.queue and self.queue[0].id in ids:
            self.queue.popleft()
        if any(delivery.id in ids for delivery in self.queue):
            self.queue = deque(delivery for delivery in self.queue if delivery.id not in ids)


class Breaker:
    """Stops every lane of a channel whose credentials are refused; one lane goes on probing."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._prober: object = None

    async def passage(self, lane: object) -> None:
        """Wait until the channel takes messages again; the prober passes."""
        if self._prober is not lane:
            await self._is_open.wait()

    def close(self, lane: object) -> bool:
        """Stop the others; tell whether this is new."""
        was_open = self._is_open.is_set()
        if was_open:
            self._prober = lane
            self._is_open.clear()
        return was_open

    def open(self) -> None:
        """Let everybody pass."""
        self._prober = None
        self._is_open.set()

    @property
    def is_closed(self) -> bool:
        """Whether the lanes wait."""
        return not self._is_open.is_set()
