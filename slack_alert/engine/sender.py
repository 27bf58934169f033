"""Drain the outbox: one lane per address, in order, paced, each on its own, nothing given up quietly."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial

from slack_alert.core.backoff import Fate, Outcome, next_attempt
from slack_alert.core.errors import NotNow
from slack_alert.core.model import Address, Delivery, Progress, Status
from slack_alert.core.notices import with_slot_time
from slack_alert.core.values import Text, Upload
from slack_alert.engine.lanes import KEPT, UNMARKED, Breaker, Lane
from slack_alert.engine.ports import Batch, Books, Channel, Clock

log = logging.getLogger(__name__)

#: A message delivered later than this after its slot begins with the slot's time.
_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one address is spoken to; `rate` 0 is unpaced."""

    rate: float = 1.0
    burst: int = 3


class Sender:
    """Speaks to the channels; everything here runs on the main loop but `accept`, which may be called anywhere."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        books: Books,
        waiting: Callable[[str | None, int, int], list[Delivery]],
        last_receipt: Callable[[str], str | None],
        clock: Clock,
        paces: Mapping[str, Pace],
        give_up: timedelta,
        zone: tzinfo,
        undeliverable: Callable[[Delivery, Outcome], None],
    ) -> None:
        self._channels = channels
        self._books = books
        self._waiting = waiting
        self._last_receipt = last_receipt
        self._clock = clock
        self._paces = paces
        self._give_up = give_up
        self._zone = zone
        self._undeliverable = undeliverable
        self._lanes: dict[Address, Lane] = {}
        self._breakers = {name: Breaker() for name in channels}
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, *, is_doubtful: bool) -> None:
        """Take up what the store still holds; after a crash the head of each lane may have been accepted."""
        self._loop = asyncio.get_running_loop()
        after = 0
        while page := self._waiting(None, after, KEPT):
            after = page[-1].id
            for delivery in page:
                lane = self._lane(delivery.message.to)
                lane.add(delivery)
                lane.doubtful = min(len(lane.queue), UNMARKED) if is_doubtful else 0
        for lane in self._lanes.values():
            self._go(lane)

    def accept(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries that were committed just now."""
        if deliveries and self._loop is not None:
            self._loop.call_soon_threadsafe(self._accept, deliveries)

    def forget(self, ids: Sequence[int]) -> None:
        """Take out deliveries that a person dropped."""
        for lane in self._lanes.values():
            lane.remove(ids)

    @property
    def queued(self) -> int:
        """How many messages wait in memory."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    @property
    def troubles(self) -> list[str]:
        """Which channels refuse our credentials."""
        return [name for name, breaker in self._breakers.items() if breaker.is_closed]

    async def drained(self) -> None:
        """Wait until nothing is left to send."""
        while going := [lane.going for lane in self._lanes.values() if lane.going and not lane.going.done()]:
            await asyncio.wait(going)

    async def stop(self) -> None:
        """Leave what is not sent in the outbox."""
        going = [lane.going for lane in self._lanes.values() if lane.going and not lane.going.done()]
        for each in going:
            each.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    def _accept(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            lane = self._lane(delivery.message.to)
            lane.add(delivery)
            self._go(lane)

    def _pace(self, address: Address) -> Pace:
        return self._paces.get(address.channel, Pace())

    def _lane(self, address: Address) -> Lane:
        if address not in self._lanes:
            self._lanes[address] = Lane(address, self._pace(address).burst, self._clock.monotonic())
        return self._lanes[address]

    def _go(self, lane: Lane) -> None:
        if lane.queue and (lane.going is None or lane.going.done()):
            lane.going = asyncio.get_running_loop().create_task(self._drain(lane))

    async def _drain(self, lane: Lane) -> None:
        while lane.queue:
            if lane.doubtful:
                await self._look(lane, lane.doubtful)
                lane.doubtful = 0
                continue
            await self._deliver(lane, lane.queue[0])
            if not lane.queue and lane.spilled:
                lane.refill(self._waiting(str(lane.address), lane.last, KEPT))

    async def _deliver(self, lane: Lane, delivery: Delivery) -> None:
        """Make one attempt at the head of the lane, and wait as its outcome asks."""
        channel = self._channels.get(lane.address.channel)
        if channel is None:
            names = ", ".join(sorted(self._channels))
            self._bury(
                lane,
                delivery,
                Outcome(
                    Fate.DESTINATION,
                    reason=f"there is no channel {lane.address.channel!r}",
                    hint=f"The channels are: {names}.",
                ),
            )
            return
        breaker = self._breakers[lane.address.channel]
        await breaker.passage(lane)
        await self._keep_pace(lane)
        if not lane.queue or lane.queue[0] is not delivery:
            return
        outcome = await channel.send(*self._dressed(delivery))
        if outcome.fate is not Fate.CREDENTIALS:
            breaker.open()
        elif breaker.close(lane):
            log.error("channel closed", extra={"channel": channel.name, "reason": outcome.reason, "hint": outcome.hint})
        await self._heed(lane, delivery, outcome)

    async def _heed(self, lane: Lane, delivery: Delivery, outcome: Outcome) -> None:
        attempts = delivery.attempts + (outcome.fate is not Fate.WAIT)
        if outcome.fate is Fate.SENT:
            await self._mark_sent(lane, delivery, attempts, outcome.receipt)
            return
        delay = self._delay(delivery, outcome, attempts)
        if delay is None:
            self._bury(lane, replace(delivery, attempts=attempts), outcome)
            return
        log.info(
            "delivery waits",
            extra={
                "delivery": delivery.id,
                "to": str(lane.address),
                "reason": outcome.reason,
                "seconds": delay.total_seconds(),
            },
        )
        if not lane.queue or lane.queue[0].id != delivery.id:  # dropped meanwhile
            return
        lane.queue[0] = replace(delivery, attempts=attempts, reason=outcome.reason)
        self._write(Progress(delivery.id, Status.QUEUED, attempts, self._clock.now(), reason=outcome.reason))
        await self._clock.sleep(delay.total_seconds())
        if outcome.fate is Fate.AMBIGUOUS:
            await self._look(lane, 1)

    def _delay(self, delivery: Delivery, outcome: Outcome, attempts: int) -> timedelta | None:
        return next_attempt(
            outcome,
            attempts,
            created=delivery.created,
            now=self._clock.now(),
            give_up=self._give_up,
            chance=random.random(),  # noqa: S311 - spreads attempts, guards nothing
        )

    async def _look(self, lane: Lane, number: int) -> None:
        """Ask the channel which of the first deliveries it has already, for as long as it cannot answer."""
        channel = self._channels.get(lane.address.channel)
        heads = list(lane.queue)[:number]
        if channel is None or not heads:
            return
        found = await self._asked(channel, heads)
        for delivery in heads:
            if delivery.id in found:
                log.info("delivery found", extra={"delivery": delivery.id, "receipt": found[delivery.id]})
                await self._mark_sent(lane, delivery, max(1, delivery.attempts), found[delivery.id])

    async def _asked(self, channel: Channel, heads: Sequence[Delivery]) -> Mapping[int, str]:
        """Insist on an answer until the messages are so old that they would be given up."""
        attempts = 0
        while True:
            try:
                return await channel.find(heads, self._last_receipt(str(heads[0].message.to))) or {}
            except NotNow as error:
                attempts += 1
                outcome = Outcome(Fate.RETRY, reason=str(error))
                delay = self._delay(heads[0], outcome, attempts)
                if delay is None:
                    return {}
                log.info("delivery in doubt", extra={"delivery": heads[0].id, "reason": str(error)})
                await self._clock.sleep(delay.total_seconds())

    async def _mark_sent(self, lane: Lane, delivery: Delivery, attempts: int, receipt: str | None) -> None:
        lane.remove((delivery.id,))
        await lane.unmarked.acquire()
        done = asyncio.get_running_loop()
        self._write(
            Progress(delivery.id, Status.SENT, attempts, self._clock.now(), receipt=receipt),
            partial(done.call_soon_threadsafe, lane.unmarked.release),
        )
        log.debug("delivery sent", extra={"delivery": delivery.id, "attempt": attempts})

    def _bury(self, lane: Lane, delivery: Delivery, outcome: Outcome) -> None:
        """Keep a message that cannot be delivered as dead: visible, and to be retried by a person."""
        lane.remove((delivery.id,))
        reason = f"{outcome.reason}: {outcome.hint}" if outcome.hint else outcome.reason
        log.error("delivery dead", extra={"delivery": delivery.id, "to": str(lane.address), "reason": reason})
        self._write(Progress(delivery.id, Status.DEAD, delivery.attempts, self._clock.now(), reason=reason))
        self._undeliverable(delivery, outcome)

    def _write(self, progress: Progress, then: Callable[[], object] | None = None) -> None:
        self._books.put(Batch(progress=[progress]), then)

    async def _keep_pace(self, lane: Lane) -> None:
        """Take one token of the lane's bucket, waiting for it where it is empty."""
        pace = self._pace(lane.address)
        if not pace.rate:
            return
        now = self._clock.monotonic()
        lane.level = min(float(pace.burst), lane.level + (now - lane.refilled) * pace.rate)
        lane.refilled = now
        lane.level -= 1
        if lane.level < 0:
            await self._clock.sleep(-lane.level / pace.rate)

    def _dressed(self, delivery: Delivery) -> tuple[Delivery, str | None]:
        """Put the slot's time before a message that comes late."""
        message = delivery.message
        if message.slot is None or self._clock.now() - message.slot <= _LATE or not message.key.endswith("#0"):
            return delivery, None
        local = self._local(message.slot)
        if isinstance(message.piece, Text):
            return delivery, with_slot_time(message.piece.text, local)
        if isinstance(message.piece, Upload):
            piece = replace(message.piece, comment=with_slot_time(message.piece.comment, local).strip())
            return replace(delivery, message=replace(message, piece=piece)), None
        return delivery, None

    def _local(self, slot: datetime) -> str:
        local = slot.astimezone(self._zone)
        is_today = local.date() == self._clock.now().astimezone(self._zone).date()
        return local.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
