"""The lane of an address: its waiting deliveries, its failures and its rate; `core/retry` says how long it is held."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import islice
from math import inf

from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery
from slack_alert.core.policy.overflow import OverflowSummary, capacity
from slack_alert.core.retry import RETRY_FIRST, RETRY_LAST, SendResult, SendStatus, backoff, fault
from slack_alert.core.structs import replace
from slack_alert.core.units.quantities import format_duration
from slack_alert.engine.delivery.fair_turns import FairQueue

#: How long an address may fail before it counts as trouble: a short fault of the network passes meanwhile.
PATIENCE = timedelta(minutes=1)


class LaneFailure:
    """Remembers the failures of a lane since its last success."""

    __slots__ = ("_is_fault", "_reason", "_since")

    def __init__(self) -> None:
        self._since: float | None = None
        self._reason = ""
        #: Whether the last failure was an error of the program, which does not pass by itself as a network fault does.
        self._is_fault = False

    def record_failure(self, outcome: SendResult, now: float) -> None:
        """Record a failure; where the service asked to wait, it counts from the end of that wait."""
        if outcome.status in (SendStatus.DESTINATION, SendStatus.PAYLOAD, SendStatus.CREDENTIALS):
            self.clear()  # The service answers; what it refuses is reported elsewhere.
            return
        if self._since is None:
            asked = outcome.after if outcome.status is SendStatus.WAIT else None
            self._since = now + (asked or timedelta()).total_seconds()
        self._reason = outcome.reason or "no answer"
        self._is_fault = outcome.status is SendStatus.FAULT

    def clear(self) -> None:
        """Forget the failures: a message was accepted, or none is left to send."""
        self._since = None
        self._is_fault = False

    def trouble(self, now: float) -> str | None:
        """Return how long nothing was accepted, and why; None while that is too short to matter."""
        since = self._since  # Called from any thread.
        if since is None or (now - since < PATIENCE.total_seconds() and not self._is_fault):
            return None
        minutes = timedelta(minutes=(now - since) // 60)
        return f"nothing accepted{f' for {format_duration(minutes)}' if minutes else ''}: {self._reason}"


#: Deliveries of a lane kept in memory; the rest waits in the store.
KEPT = 500
#: Sent deliveries of a lane that may be uncommitted; a crash repeats no more where the channel cannot be asked.
UNMARKED = 240
#: For so long after an answer that asked to wait, every attempt costs a token: the service counts rejected ones, too.
_STRICT_SECONDS = 300.0
#: Outcomes after which the time does not count as tried for the message.
_NOT_ITS_FAILURE = frozenset({SendStatus.WAIT, SendStatus.CREDENTIALS, SendStatus.FAULT})


class DeliveryTrial:
    """The failing attempts at a delivery: since when, and how many unknown answers came in a row."""

    __slots__ = ("_since", "_unknown", "id")

    def __init__(self, id: int) -> None:  # noqa: A002 - the delivery's
        self.id = id
        self._since: float | None = None
        self._unknown = 0

    def judged(self, outcome: SendResult, now: float) -> SendResult:
        """Record an answer; return it without its limit while too few such answers came in a row to be final."""
        if outcome.status in _NOT_ITS_FAILURE:
            self._since = None
        elif self._since is None:
            self._since = now
        self._unknown = self._unknown + 1 if outcome.limit is not None else 0
        is_final = outcome.limit is not None and self._unknown >= outcome.limit
        return outcome if is_final else replace(outcome, limit=None)

    def lasted(self, now: float) -> timedelta:
        """Return how long the delivery has been failing."""
        return timedelta(seconds=now - self._since if self._since is not None else 0)


class Lane:
    """The deliveries of an address, in order; where more wait than a burst, the jobs take turns."""

    __slots__ = (
        "address", "announced", "doubtful", "ease", "failed", "going", "last", "level", "limit", "queue", "refilled",
        "room", "spilled", "stall", "storm", "storm_due", "strict_until", "trial", "turns", "unmarked",
    )  # fmt: skip

    def __init__(self, address: Address, burst: int, now: float, *, rate: float = 0) -> None:
        self.address = address
        #: Up to so many waiting deliveries are sent in order of arrival.
        self.ease = burst if rate else inf
        #: How many can be sent in a minute; overflow is decided anew where more than `limit` wait.
        self.room = self.limit = capacity(rate, burst)
        self.turns = FairQueue()
        self.stall = LaneFailure()
        #: The summary message that counts others, while it may still count more; and when it is sent at the latest.
        self.storm: OverflowSummary | None = None
        self.storm_due = 0.0
        #: How many of this lane wait in the store only, an upper bound.
        self.spilled = 0
        self.queue: deque[Delivery] = deque()
        #: The greatest id that was ever in the queue.
        self.last = 0
        #: The greatest id passed to `add`; the store is read up to here, later ids are still to be added.
        self.announced = 0
        #: Deliveries that a former process may have sent, and that were not verified yet.
        self.doubtful: frozenset[int] = frozenset()
        self.level = float(burst)
        self.refilled = now
        #: Until then an attempt that was not accepted costs a token like a message.
        self.strict_until = 0.0
        self.trial = DeliveryTrial(0)
        self.unmarked = asyncio.Semaphore(UNMARKED)
        self.going: asyncio.Task[None] | None = None
        #: Errors of the program since a message was accepted last.
        self.failed = 0

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery in memory, or leave it in the store where there is no room."""
        if delivery.id <= self.last:  # A person retries it.
            if all(delivery.id != queued.id for queued in self.queue):
                self.queue.append(delivery)
            return
        if not self.has_spilled and len(self.queue) < KEPT:
            self.queue.append(delivery)
            self.last = delivery.id
        else:
            self.spilled += 1
        self.announced = max(self.announced, delivery.id)

    @property
    def is_calm(self) -> bool:
        """Whether deliveries are sent in order of arrival."""
        return self.storm is None and len(self.queue) + self.spilled <= self.ease

    @property
    def has_spilled(self) -> bool:
        """Whether more of this lane waits in the store."""
        return self.announced > self.last

    def refill(self, page: Sequence[Delivery]) -> None:
        """Add a page of the deliveries that wait in the store: at most KEPT, all after `last`."""
        self.queue.extend(delivery for delivery in page if delivery.id <= self.announced)
        is_whole = len(page) < KEPT or page[-1].id >= self.announced
        self.last = self.announced if is_whole else page[-1].id
        self.spilled = 0 if is_whole else max(1, self.spilled - len(page))

    def remove(self, ids: Collection[int]) -> None:
        """Remove deliveries that are done or dropped."""
        if self.storm and any(one.message.origin == self.storm.origin and one.id in ids for one in self.queue):
            self.storm = None
        left = len(ids)
        while self.queue and self.queue[0].id in ids:
            self.queue.popleft()
            left -= 1
        if left and any(delivery.id in ids for delivery in self.queue):
            self.queue = deque(delivery for delivery in self.queue if delivery.id not in ids)

    def doubtful_below(self, root: str) -> list[Delivery]:
        """Return the doubtful deliveries that follow the message `root`; where it is empty, those that follow none."""
        if not self.doubtful:
            return []
        return [one for one in self.queue if one.id in self.doubtful and one.message.root == root]

    def tried(self, delivery: Delivery) -> DeliveryTrial:
        """Return the trial of the delivery at the head; a new trial for another delivery."""
        if self.trial.id != delivery.id:
            self.trial = DeliveryTrial(delivery.id)
        return self.trial

    def is_next(self, delivery: Delivery) -> bool:
        """Return whether a delivery is still at the head; a person may have dropped it."""
        return bool(self.queue) and self.queue[0].id == delivery.id

    def take_turn(self, now: float, *, rate: float, burst: int) -> float:
        """Take a token from the bucket; return the seconds until it is there."""
        self.level = min(float(burst), self.level + (now - self.refilled) * rate) - 1
        self.refilled = now
        return max(0.0, -self.level / rate)

    def record_error(self, error: Exception, now: float) -> timedelta:
        """Record an error of the program, which proves nothing about the head delivery; return how long to wait."""
        self.failed += 1
        self.doubtful |= {delivery.id for delivery in islice(self.queue, 1)}
        self.stall.record_failure(fault(error), now)
        return backoff(RETRY_FIRST, RETRY_LAST, self.failed)

    def give_back(self, now: float, *, burst: int) -> None:
        """Return the token of an attempt that posted no message: the rate is that of messages."""
        if now >= self.strict_until:
            self.level = min(float(burst), self.level + 1)

    def keep_strictly(self, now: float) -> None:
        """Return no tokens for a while."""
        self.strict_until = now + _STRICT_SECONDS

    @property
    def is_going(self) -> bool:
        """Whether a task drains this lane."""
        return self.going is not None and not self.going.done()
