"""Work is carried out in order within a lane, of a few lanes at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from slack_alert.channels.slack.inbound.lanes import Lanes


class _Works:
    """Works that are done when they are let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.gate = asyncio.Event()

    def named(self, name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            self.begun.append(name)
            await self.gate.wait()
            self.done.append(name)

        return work


async def _rest() -> None:
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_lane_keeps_its_order_and_does_not_hold_up_another() -> None:
    async def act() -> tuple[list[str], list[str]]:
        lanes, works = Lanes(at_once=9, most=9), _Works()
        for name in ("a1", "a2", "b1"):
            assert lanes.add(name[0], works.named(name))
        await _rest()
        begun = list(works.begun)
        works.gate.set()
        await lanes.close(5)
        return begun, [name for name in works.done if name.startswith("a")]

    assert asyncio.run(act()) == (["a1", "b1"], ["a1", "a2"])


def test_no_more_lanes_go_on_at_once_than_may() -> None:
    async def act() -> list[str]:
        lanes, works = Lanes(at_once=2, most=9), _Works()
        for name in "abc":
            lanes.add(name, works.named(name))
        await _rest()
        await lanes.close(0)
        return works.begun

    assert asyncio.run(act()) == ["a", "b"]


def test_no_more_is_added_than_may_wait_and_again_when_less_waits() -> None:
    async def act() -> list[bool]:
        lanes, works = Lanes(at_once=1, most=2), _Works()
        added = [lanes.add("a", works.named(str(number))) for number in range(3)]
        works.gate.set()
        await _rest()
        return [*added, lanes.add("a", works.named("4"))]

    assert asyncio.run(act()) == [True, True, False, True]


def test_what_is_not_done_in_time_is_given_up_at_the_end() -> None:
    async def act() -> tuple[list[str], list[str]]:
        lanes, works = Lanes(at_once=1, most=9), _Works()
        lanes.add("a", works.named("a1"))
        lanes.add("a", works.named("a2"))
        await _rest()
        await lanes.close(0)
        return works.begun, works.done

    assert asyncio.run(act()) == (["a1"], [])
