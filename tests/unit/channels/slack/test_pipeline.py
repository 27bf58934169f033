"""Work begins in the order in which it comes, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from slack_alert.channels.slack.inbound.pipeline import Pipeline


class _Works:
    """Works that are done when they are let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.gate = asyncio.Event()

    def named(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            self.begun.append(name)
            await self.gate.wait()
            self.done.append(name)

        return work


async def _rest() -> None:
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_work_begins_in_order_and_does_not_wait_for_what_was_begun() -> None:
    async def act() -> tuple[list[str], list[str]]:
        pipeline, works = Pipeline(at_once=2, most=9), _Works()
        for name in "abc":
            assert pipeline.add(works.named(name))
        await _rest()
        begun = list(works.begun)
        works.gate.set()
        await pipeline.close(5)
        return begun, works.done

    assert asyncio.run(act()) == (["a", "b"], ["a", "b", "c"])


def test_no_more_is_added_than_may_wait_and_again_when_less_waits() -> None:
    async def act() -> list[bool]:
        pipeline, works = Pipeline(at_once=1, most=2), _Works()
        added = [pipeline.add(works.named(str(number))) for number in range(4)]
        works.gate.set()
        await _rest()
        return [*added, pipeline.add(works.named("4"))]

    assert asyncio.run(act()) == [True, True, True, False, True]


def test_what_is_not_done_in_time_is_given_up_at_the_end() -> None:
    async def act() -> tuple[list[str], list[str]]:
        pipeline, works = Pipeline(at_once=1, most=9), _Works()
        pipeline.add(works.named("a1"))
        pipeline.add(works.named("a2"))
        await _rest()
        await pipeline.close(0)
        return works.begun, works.done

    assert asyncio.run(act()) == (["a1"], [])
