"""The deliveries of one address, and what stops a whole channel; used by the sender only."""

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

#: So long an address may fail before delivery is not well: a hiccup of the network passes meanwhile.
PATIENCE = timedelta(minutes=1)


class LaneFailure:
    """Remembers the first failure after the last success."""

    __slots__ = ("_is_fault", "_reason", "_since")

    def __init__(self) -> None:
        self._since: float | None = None
        self._reason = ""
        #: Whether the last failure was an error of the program, which does not pass by itself as a network's does.
        self._is_fault = False

    def record_failure(self, outcome: SendResult, now: float) -> None:
        """Count a failure; where the service asked to wait, from the end of that wait on."""
        if outcome.status in (SendStatus.DESTINATION, SendStatus.PAYLOAD, SendStatus.CREDENTIALS):
            self.clear()  # It answers; what it refuses is told on its own.
            return
        if self._since is None:
            asked = outcome.after if outcome.status is SendStatus.WAIT else None
            self._since = now + (asked or timedelta()).total_seconds()
        self._reason = outcome.reason or "no answer"
        self._is_fault = outcome.status is SendStatus.FAULT

    def clear(self) -> None:
        """Forget it: something was accepted, or nothing is left to send."""
        self._since = None
        self._is_fault = False

    def trouble(self, now: float) -> str | None:
        """Return how long nothing was accepted, and why; None while that is no reason to worry."""
        since = self._since  # Any thread asks.
        if since is None or (now - since < PATIENCE.total_seconds() and not self._is_fault):
            return None
        minutes = timedelta(minutes=(now - since) // 60)
        return f"nothing accepted{f' for {format_duration(minutes)}' if minutes else ''}: {self._reason}"


#: Deliveries of one lane kept in memory; the rest waits in the store.
KEPT = 500
#: Attempts of one lane whose success is not committed yet; where a channel cannot be asked, a crash repeats no more.
UNMARKED = 240
#: After an answer that asked to wait, each attempt takes its turn for so long: the service counts more than it accepts.
_STRICT_SECONDS = 300.0
#: Time that passes so is none in which a message was tried.
_NOT_ITS_FAILURE = frozenset({SendStatus.WAIT, SendStatus.CREDENTIALS, SendStatus.FAULT})


class DeliveryTrial:
    """How long one delivery has been failing, and how many unknown answers in a row it got."""

    __slots__ = ("_since", "_unknown", "id")

    def __init__(self, id: int) -> None:  # noqa: A002 - the delivery's
        self.id = id
        self._since: float | None = None
        self._unknown = 0

    def judged(self, outcome: SendResult, now: float) -> SendResult:
        """Count an answer; return it without its limit while too few like it came in a row to be final."""
        if outcome.status in _NOT_ITS_FAILURE:
            self._since = None
        elif self._since is None:
            self._since = now
        self._unknown = self._unknown + 1 if outcome.limit is not None else 0
        is_final = outcome.limit is not None and self._unknown >= outcome.limit
        return outcome if is_final else replace(outcome, limit=None)

    def lasted(self, now: float) -> timedelta:
        """Return how long it has been failing."""
        return timedelta(seconds=now - self._since if self._since is not None else 0)


class Lane:
    """The deliveries of one address, in order; where more wait than a burst, the jobs take turns."""

    __slots__ = (
        "address", "announced", "doubtful", "ease", "failed", "going", "last", "level", "limit", "queue", "refilled",
        "room", "spilled", "stall", "storm", "storm_due", "strict_until", "trial", "turns", "unmarked",
    )  # fmt: skip

    def __init__(self, address: Address, burst: int, now: float, *, rate: float = 0) -> None:
        self.address = address
        #: Up to so many wait in the order in which they came.
        self.ease = burst if rate else inf
        #: So many can be said in a minute; what becomes of more is decided anew beyond `limit`.
        self.room = self.limit = capacity(rate, burst)
        self.turns = FairQueue()
        self.stall = LaneFailure()
        #: What the message stands for that counts others, while it may still count more; and when it is said at last.
        self.storm: OverflowSummary | None = None
        self.storm_due = 0.0
        #: How many of this lane wait in the store only, at most.
        self.spilled = 0
        self.queue: deque[Delivery] = deque()
        #: The greatest id that was ever in the queue.
        self.last = 0
        #: The greatest id this lane was told of; up to here the store is read, the rest is still to be announced.
        self.announced = 0
        #: What a former process may have sent, and nobody has looked for yet.
        self.doubtful: frozenset[int] = frozenset()
        self.level = float(burst)
        self.refilled = now
        #: Until then an attempt that was not accepted is counted like a message.
        self.strict_until = 0.0
        self.trial = DeliveryTrial(0)
        self.unmarked = asyncio.Semaphore(UNMARKED)
        self.going: asyncio.Task[None] | None = None
        #: Errors of the program since something was accepted last.
        self.failed = 0

    def add(self, delivery: Delivery) -> None:
        """Queue it in memory, or leave it in the store where there is no room."""
        if delivery.id <= self.last:  # A person has it sent again.
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
        """Whether everything goes out as it came."""
        return self.storm is None and len(self.queue) + self.spilled <= self.ease

    @property
    def has_spilled(self) -> bool:
        """Whether more of this lane waits in the store."""
        return self.announced > self.last

    def refill(self, page: Sequence[Delivery]) -> None:
        """Take more of what waits in the store: at most KEPT, everything after `last`."""
        self.queue.extend(delivery for delivery in page if delivery.id <= self.announced)
        is_whole = len(page) < KEPT or page[-1].id >= self.announced
        self.last = self.announced if is_whole else page[-1].id
        self.spilled = 0 if is_whole else max(1, self.spilled - len(page))

    def remove(self, ids: Collection[int]) -> None:
        """Take out deliveries that are done or dropped."""
        if self.storm and any(one.message.key == self.storm.key and one.id in ids for one in self.queue):
            self.storm = None
        left = len(ids)
        while self.queue and self.queue[0].id in ids:
            self.queue.popleft()
            left -= 1
        if left and any(delivery.id in ids for delivery in self.queue):
            self.queue = deque(delivery for delivery in self.queue if delivery.id not in ids)

    def doubtful_below(self, root: str) -> list[Delivery]:
        """Return those to be looked for that follow one message, or none where `root` is empty: they stand together."""
        if not self.doubtful:
            return []
        return [one for one in self.queue if one.id in self.doubtful and one.message.root == root]

    def tried(self, delivery: Delivery) -> DeliveryTrial:
        """Return what is known of the attempts at the head; it begins anew with another one."""
        if self.trial.id != delivery.id:
            self.trial = DeliveryTrial(delivery.id)
        return self.trial

    def is_next(self, delivery: Delivery) -> bool:
        """Whether it stands at the head still; somebody may have dropped it."""
        return bool(self.queue) and self.queue[0].id == delivery.id

    def take_turn(self, now: float, *, rate: float, burst: int) -> float:
        """Take one token of the bucket; return the seconds until there is one."""
        self.level = min(float(burst), self.level + (now - self.refilled) * rate) - 1
        self.refilled = now
        return max(0.0, -self.level / rate)

    def stumble(self, error: Exception, now: float) -> timedelta:
        """Note an error of the program, which says nothing of the message at the head; return how long to rest."""
        self.failed += 1
        self.doubtful |= {delivery.id for delivery in islice(self.queue, 1)}
        self.stall.record_failure(fault(error), now)
        return backoff(RETRY_FIRST, RETRY_LAST, self.failed)

    def give_back(self, now: float, *, burst: int) -> None:
        """Return the token of an attempt that put no message there: the pace is one of messages."""
        if now >= self.strict_until:
            self.level = min(float(burst), self.level + 1)

    def keep_strictly(self, now: float) -> None:
        """Give no token back for a while."""
        self.strict_until = now + _STRICT_SECONDS

    @property
    def is_going(self) -> bool:
        """Whether somebody drains it."""
        return self.going is not None and not self.going.done()
