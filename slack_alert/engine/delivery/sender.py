"""The sender: drains the outbox with an independent lane for each address, in order and rate-limited."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta, tzinfo

from slack_alert.core.errors import StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import adapted
from slack_alert.core.model.message import Delivery, DeliveryProgress, RunPart, Status
from slack_alert.core.model.record import Verdict
from slack_alert.core.retry import IN_DOUBT, UNSAID, SendResult, SendStatus, fault, next_attempt
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.delivery.circuit_breaker import CircuitBreaker
from slack_alert.engine.delivery.lane import KEPT, Lane
from slack_alert.engine.delivery.overflow import LaneOverflow
from slack_alert.engine.delivery.prepare import LATE, Receipts, with_late_time
from slack_alert.engine.delivery.progress import ProgressBatcher
from slack_alert.engine.delivery.refusing import unknown_channel
from slack_alert.engine.delivery.verification import DeliveryVerifier
from slack_alert.engine.ports import Channel, Clock, Recorder

log = logging.getLogger(__name__)


class SendRate(Struct, frozen=True):
    """The rate limit of an address, or of each address of a channel, in messages per second; `rate` 0 is unlimited."""

    rate: float = 1.0
    burst: int = 3


_USUAL = SendRate()


class Sender:
    """Sends deliveries to the channels; used on the main loop, except for `accept`, which any thread may call."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        recorder: Recorder,
        waiting: Callable[[str | None, int, int], list[Delivery]],
        last_receipt: Callable[[str], str | None],
        receipts: Receipts | None = None,
        ended: Callable[[Collection[RunPart]], Mapping[int, Verdict]] = lambda _: {},
        clock: Clock,
        rates: Mapping[str, SendRate],
        give_up: timedelta,
        zone: tzinfo,
        undeliverable: Callable[[Delivery, SendResult], None],
    ) -> None:
        self._channels = channels
        self._progress = ProgressBatcher(recorder)
        self._receipts = receipts or Receipts(lambda _: None)
        self._refill = Refill(waiting, clock)
        self._attempts = Attempts(self._receipts, clock, zone)
        self._verifier = DeliveryVerifier(last_receipt, self._receipts.joined, self._delay, clock)
        self._overflow = LaneOverflow(
            recorder, stored=waiting, receipts=self._receipts, clock=clock, zone=zone, ended=ended
        )
        self._clock = clock
        self._rates = rates
        self._give_up = give_up
        self._undeliverable = undeliverable
        self._lanes: dict[Address, Lane] = {}
        self._breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)
        #: Set when a lane has nothing left to send, or its channel refuses our credentials.
        self._eased = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def restore(self) -> None:
        """Queue what the store holds; a former process may have died between a message's acceptance and its record."""
        self._loop = asyncio.get_running_loop()
        for delivery in self._refill.everything():
            self._lane(delivery.message.to).add(delivery)
        for lane in self._lanes.values():
            lane.doubtful = frozenset(delivery.id for delivery in lane.queue)
            self._start(lane)

    def accept(self, deliveries: Sequence[Delivery]) -> None:
        """Queue deliveries that were committed just now."""
        loop = self._loop
        if deliveries and loop is not None:
            loop.call_soon_threadsafe(self._accept, deliveries)

    def forget(self, ids: Sequence[int]) -> None:
        """Remove deliveries that a person dropped."""
        for lane in self._lanes.values():
            lane.remove(ids)

    @property
    def queued(self) -> int:
        """The number of unsent messages, an upper bound where some are in the store only; may be read on any thread."""
        return sum(len(lane.queue) + lane.spilled for lane in list(self._lanes.values()))

    @property
    def troubles(self) -> list[str]:
        """The channels that refuse our credentials; may be read on any thread."""
        return [name for name, breaker in list(self._breakers.items()) if breaker.is_tripped]

    @property
    def stalls(self) -> list[str]:
        """The addresses that accept nothing, with how long and why; may be read on any thread."""
        now = self._clock.monotonic()
        told = [
            (lane.address, lane.stall.trouble(now))
            for lane in list(self._lanes.values())
            if lane.queue or lane.has_spilled
        ]
        return [f"{address}: {why}" for address, why in told if why]

    async def drained(self) -> None:
        """Wait until nothing is left to send, except for messages to channels that refuse our credentials."""
        while self._open_lanes():
            self._eased.clear()
            await self._eased.wait()
        self._progress.flush()

    def _open_lanes(self) -> list[Lane]:
        lanes = self._lanes.values()
        return [lane for lane in lanes if lane.is_going and not self._breakers[lane.address.channel].is_tripped]

    async def stop(self) -> None:
        """Stop all lanes and accept no more; unsent messages stay in the outbox."""
        self._loop = None
        going = self._going()
        for each in going:
            each.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        self._progress.flush()

    def _going(self) -> list[asyncio.Task[None]]:
        return [lane.going for lane in self._lanes.values() if lane.going is not None and lane.is_going]

    def _accept(self, deliveries: Sequence[Delivery]) -> None:
        if self._loop is None:
            return
        for delivery in deliveries:
            lane = self._lane(delivery.message.to)
            lane.add(delivery)
            self._start(lane)

    def _rate(self, address: Address) -> SendRate:
        return self._rates.get(str(address)) or self._rates.get(address.channel, _USUAL)

    def _lane(self, address: Address) -> Lane:
        if address not in self._lanes:
            rate = self._rate(address)
            self._lanes[address] = Lane(address, rate.burst, self._clock.monotonic(), rate=rate.rate)
        return self._lanes[address]

    def _start(self, lane: Lane) -> None:
        if lane.queue and not lane.is_going:
            lane.going = asyncio.get_running_loop().create_task(self._drain(lane))

    async def _drain(self, lane: Lane) -> None:
        name = lane.address.channel
        channel = self._channels.get(name) or unknown_channel(name, self._channels)
        breaker = self._breakers[name]
        lane.stall.clear()
        try:
            while (delay := await self._send_all(lane, channel, breaker)) is not None:
                await self._clock.sleep(delay.total_seconds())
        finally:
            breaker.leave(lane)
            self._eased.set()

    async def _send_all(self, lane: Lane, channel: Channel, breaker: CircuitBreaker) -> timedelta | None:
        """Send all that waits and return None; after an unexpected error return how long to wait before a retry."""
        try:
            await self._verify_following(lane, channel, root="")
            while lane.queue or lane.has_spilled:
                is_ready = lane.is_calm or await self._overflow.calm(lane)
                if is_ready and lane.queue:
                    await self._deliver(lane, channel, breaker)
                else:
                    await self._refill.load_page(lane)
        except Exception as error:
            log.exception("sender failed", extra={"to": str(lane.address)})
            return lane.record_error(error, self._clock.monotonic())
        return None

    async def _deliver(self, lane: Lane, channel: Channel, breaker: CircuitBreaker) -> None:
        """Attempt the delivery at the head of the lane, and wait as the outcome asks."""
        delivery = lane.queue[0]
        if breaker.is_tripped:
            await breaker.wait(lane)
        # Threads are verified in turn, at the rate of their messages: a service accepts only so many requests.
        if lane.doubtful:
            await self._verify_following(lane, channel, delivery.message.root)
        if not lane.is_next(delivery):
            return
        await self._wait_for_token(lane)
        # Acquired before the attempt: nothing may come between acceptance and its record. Where a channel never waits,
        # this await lets other tasks run.
        await lane.unmarked.acquire()
        if not lane.is_next(delivery):
            lane.unmarked.release()
            return
        outcome = await self._attempts.make(channel, delivery)
        if outcome.status is SendStatus.SENT:
            self._mark_sent(lane, delivery, delivery.attempts + 1, outcome.receipt, lane.unmarked)
        else:
            lane.unmarked.release()
        self._update_breaker(breaker, lane, outcome)
        if lane.is_next(delivery):
            await self._handle_failure(lane, channel, delivery, outcome)

    def _update_breaker(self, breaker: CircuitBreaker, lane: Lane, outcome: SendResult) -> None:
        """Let the other lanes of the channel send, or stop them, by its answer."""
        if outcome.status is not SendStatus.CREDENTIALS:
            breaker.reset()
        elif breaker.trip(lane):
            self._eased.set()
            name = lane.address.channel
            log.error("channel closed", extra={"channel": name, "reason": outcome.reason, "hint": outcome.hint})

    async def _handle_failure(self, lane: Lane, channel: Channel, delivery: Delivery, outcome: SendResult) -> None:
        """Handle the outcome of a delivery that was not accepted: wait, verify, retry or give up."""
        now = self._clock.monotonic()
        trial = lane.tried(delivery)
        outcome = trial.judged(outcome, now)
        attempts = delivery.attempts + (outcome.status is not SendStatus.WAIT)
        delivery = replace(delivery, attempts=attempts, reason=outcome.reason, is_answer=outcome.is_answer)
        lane.queue[0] = delivery
        delay = self._delay(outcome, delivery.attempts, trial.lasted(now))
        lane.stall.record_failure(outcome, now)
        if delay is not None:
            await self._wait(lane, delivery, delay.total_seconds())
        if outcome.status in IN_DOUBT and lane.is_next(delivery):
            await self._verify(lane, channel, [delivery])
        if outcome.status is SendStatus.WAIT:
            lane.keep_strictly(now)
        if not lane.is_next(delivery):
            return
        if delay is None:
            self._mark_dead(lane, delivery, outcome)
        elif outcome.status in UNSAID:
            lane.give_back(now, burst=self._rate(lane.address).burst)

    async def _wait(self, lane: Lane, delivery: Delivery, seconds: float) -> None:
        told = {"delivery": delivery.id, "to": str(lane.address), "reason": delivery.reason, "seconds": seconds}
        log.info("delivery waits", extra=told)
        self._write(delivery, Status.QUEUED, delivery.reason)
        await self._clock.sleep(seconds)

    def _delay(self, outcome: SendResult, attempts: int, tried: timedelta) -> timedelta | None:
        chance = random.random()  # noqa: S311 - spreads attempts, guards nothing
        return next_attempt(outcome, attempts, tried=tried, give_up=self._give_up, chance=chance)

    async def _verify_following(self, lane: Lane, channel: Channel, root: str) -> None:
        """Verify the doubtful deliveries that follow the message `root` (empty: none), with a single request."""
        if doubtful := lane.doubtful_below(root):
            await self._verify(lane, channel, doubtful)
            lane.doubtful -= {delivery.id for delivery in doubtful}

    async def _verify(self, lane: Lane, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        """Ask the channel which of these it has accepted already; retry for as long as it cannot answer."""
        found = await self._verifier.verify(channel, deliveries, lane.stall)
        for delivery in deliveries:
            if delivery.id in found:
                log.info("delivery found", extra={"delivery": delivery.id, "receipt": found[delivery.id]})
                self._mark_sent(lane, delivery, max(1, delivery.attempts), found[delivery.id])

    def _mark_sent(
        self,
        lane: Lane,
        delivery: Delivery,
        attempts: int,
        receipt: str | None,
        place: asyncio.Semaphore | None = None,
    ) -> None:
        self._receipts.remember(delivery.message.key, receipt)
        lane.remove((delivery.id,))
        lane.stall.clear()
        lane.failed = 0
        self._progress.add(
            DeliveryProgress(delivery.id, Status.SENT, attempts, self._clock.now(), receipt=receipt), place
        )
        log.debug("delivery sent", extra={"delivery": delivery.id, "attempt": attempts})

    def _mark_dead(self, lane: Lane, delivery: Delivery, outcome: SendResult) -> None:
        """Record an undeliverable message as dead: it stays visible, and a person may retry it."""
        lane.remove((delivery.id,))
        reason = f"{outcome.reason}: {outcome.hint}" if outcome.hint else outcome.reason
        log.error("delivery dead", extra={"delivery": delivery.id, "to": str(lane.address), "reason": reason})
        self._write(delivery, Status.DEAD, reason)
        self._undeliverable(delivery, outcome)

    def _write(self, delivery: Delivery, status: Status, reason: str | None) -> None:
        """Record at once what became of a delivery that was not accepted."""
        at, is_answer = self._clock.now(), delivery.is_answer
        self._progress.add(DeliveryProgress(delivery.id, status, delivery.attempts, at, None, reason, is_answer))
        self._progress.flush()

    async def _wait_for_token(self, lane: Lane) -> None:
        rate = self._rate(lane.address)
        if rate.rate:
            await self._clock.sleep(lane.take_turn(self._clock.monotonic(), rate=rate.rate, burst=rate.burst))


#: How long after a failed read of the store the next is tried.
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


class Attempts:
    """Makes attempts to send; used by the sender, on its loop."""

    def __init__(self, receipts: Receipts, clock: Clock, zone: tzinfo) -> None:
        self._receipts = receipts
        self._clock = clock
        self._zone = zone

    async def make(self, channel: Channel, delivery: Delivery) -> SendResult:
        """Send a delivery once, with the receipt of the message it follows; never raise."""
        try:
            text = None
            if delivery.message.root:
                delivery = self._receipts.joined(delivery)
            if (slot := delivery.message.origin.slot) is not None and (now := self._clock.now()) - slot > LATE:
                delivery, text = with_late_time(delivery, slot, now, self._zone)
            message = adapted(delivery.message, channel.capabilities(delivery.message.to))
            if message is None:
                return SendResult(SendStatus.SENT, delivery.follows)
            if message is not delivery.message:
                delivery = replace(delivery, message=message)
            outcome = await channel.send(delivery, text)
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
