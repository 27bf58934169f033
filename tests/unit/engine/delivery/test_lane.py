"""The lane of an address: its queue in memory, its rate, its failures; and the circuit breaker of a channel."""

from __future__ import annotations

import asyncio

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message
from slack_alert.engine.delivery.circuit_breaker import CircuitBreaker
from slack_alert.engine.delivery.lane import KEPT, Lane
from tests.fakes.virtual_loop import NOON

OPS = Address("slack", "#ops")


def lane(*ids: int, burst: int = 3) -> Lane:
    made = Lane(OPS, burst, 0.0)
    for number in ids:
        made.add(delivery(number))
    return made


def delivery(number: int) -> Delivery:
    return Delivery(number, Message(str(number), OPS, Text("x")), NOON)


def ids(one: Lane) -> list[int]:
    return [each.id for each in one.queue]


def page(first: int, last: int) -> list[Delivery]:
    return [delivery(number) for number in range(first, last + 1)]


class TestQueue:
    def test_keeps_the_order(self) -> None:
        assert ids(lane(1, 2, 5)) == [1, 2, 5]

    def test_what_a_person_has_sent_again_waits_its_turn(self) -> None:
        full = lane(3, 4)
        full.add(delivery(1))

        assert ids(full) == [3, 4, 1]

    def test_nothing_is_queued_twice(self) -> None:
        full = lane(3, 4)
        full.add(delivery(4))

        assert ids(full) == [3, 4]

    def test_beyond_its_room_it_leaves_deliveries_in_the_store(self) -> None:
        full = lane(*range(1, KEPT + 3))

        assert len(full.queue) == KEPT
        assert full.has_spilled

    def test_once_it_has_spilled_nothing_overtakes(self) -> None:
        full = lane(*range(1, KEPT + 2))
        full.remove([1, 2])
        full.add(delivery(KEPT + 2))

        assert full.queue[-1].id == KEPT

    def test_a_short_page_ends_the_spilling(self) -> None:
        full = lane(*range(1, KEPT + 3))
        full.remove(range(1, KEPT + 1))
        full.refill(page(KEPT + 1, KEPT + 2))

        assert ids(full) == [KEPT + 1, KEPT + 2]
        assert not full.has_spilled

    def test_a_full_page_does_not(self) -> None:
        full = lane(*range(1, 2 * KEPT + 3))
        full.remove(range(1, KEPT + 1))
        full.refill(page(KEPT + 1, 2 * KEPT))

        assert full.last == 2 * KEPT
        assert full.has_spilled

    def test_a_page_of_dropped_ones_ends_it_too(self) -> None:
        full = lane(*range(1, KEPT + 3))
        full.remove(range(1, KEPT + 1))
        full.refill([])
        full.add(delivery(KEPT + 3))

        assert ids(full) == [KEPT + 3]

    def test_what_is_committed_but_not_announced_is_left_to_its_announcement(self) -> None:
        """Adding it from the page as well would send it twice."""
        full = lane(*range(1, KEPT + 2))
        full.remove(range(1, KEPT + 1))
        full.refill(page(KEPT + 1, KEPT + 2))
        full.remove([KEPT + 1])
        full.add(delivery(KEPT + 2))

        assert ids(full) == [KEPT + 2]

    @pytest.mark.parametrize(
        ("gone", "expected"), [([1], [2, 3]), ([2], [1, 3]), ([3], [1, 2]), ([1, 3], [2]), ([9], [1, 2, 3])]
    )
    def test_takes_out_wherever_it_stands(self, gone: list[int], expected: list[int]) -> None:
        full = lane(1, 2, 3)
        full.remove(gone)

        assert ids(full) == expected

    def test_knows_whether_a_delivery_is_next(self) -> None:
        assert lane(1, 2).is_next(delivery(1))
        assert not lane(1, 2).is_next(delivery(2))
        assert not lane().is_next(delivery(1))


class TestPace:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            ([0, 0, 0], [0, 0, 0]),
            ([0, 0, 0, 0, 1], [0, 0, 0, 1, 1]),
            ([0, 0, 0, 0.5], [0, 0, 0, 0.5]),
            ([0, 0, 0, 100, 100, 100, 100], [0, 0, 0, 0, 0, 0, 1]),
        ],
        ids=["a burst", "then one a second", "tokens come back by and by", "never more than the burst"],
    )
    def test_a_bucket_of_three_and_one_a_second(self, at: list[float], expected: list[float]) -> None:
        one = lane(burst=3)

        assert [one.take_turn(now, rate=1.0, burst=3) for now in at] == expected


class TestBreaker:
    def test_everybody_passes_an_open_one(self) -> None:
        async def scene() -> None:
            breaker = CircuitBreaker()
            await breaker.wait(lane())
            await breaker.wait(lane())

            assert not breaker.is_tripped

        asyncio.run(scene())

    def test_only_the_first_to_be_refused_goes_on(self) -> None:
        async def scene() -> None:
            breaker, prober, other = CircuitBreaker(), lane(), lane()

            assert breaker.trip(prober)
            assert not breaker.trip(other)
            await breaker.wait(prober)
            waiting = asyncio.create_task(breaker.wait(other))
            await asyncio.sleep(0)
            assert not waiting.done()
            breaker.reset()
            await waiting

        asyncio.run(scene())

    def test_one_other_probes_when_the_prober_has_nothing_left(self) -> None:
        async def scene() -> None:
            breaker, prober = CircuitBreaker(), lane()
            breaker.trip(prober)
            others = [asyncio.create_task(breaker.wait(lane())) for _ in range(3)]
            await asyncio.sleep(0)
            breaker.leave(prober)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

            assert [each.done() for each in others] == [True, False, False]
            assert breaker.is_tripped
            breaker.reset()
            await asyncio.gather(*others)

        asyncio.run(scene())

    def test_whoever_did_not_probe_leaves_without_a_trace(self) -> None:
        async def scene() -> None:
            breaker, prober = CircuitBreaker(), lane()
            breaker.trip(prober)
            breaker.leave(lane())
            waiting = asyncio.create_task(breaker.wait(lane()))
            await asyncio.sleep(0)

            assert not waiting.done()
            waiting.cancel()

        asyncio.run(scene())
