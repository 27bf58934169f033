"""An event loop that never waits: when nothing is left to do, it is at once as late as the next thing is due."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta, timezone
from typing import TypeVar

Result = TypeVar("Result")
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class _Selector(selectors.DefaultSelector):
    """Lets the time pass in place of waiting for it."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everything waits, and nothing will ever happen"
            self.passed += max(0.0, timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a time of its own."""

    def __init__(self) -> None:
        self._patience = _Selector()
        super().__init__(self._patience)

    def time(self) -> float:
        return self._patience.passed


class LoopClock:
    """The engine's clock on the time of a virtual loop; at the beginning it is noon."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return round(self._loop.time(), 6)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(loop: VirtualLoop, main: Coroutine[object, object, Result]) -> Result:
    """Run to the end and close the loop; nothing may be left over."""
    try:
        result = loop.run_until_complete(asyncio.wait_for(main, 1_000_000))
        left = asyncio.all_tasks(loop)
        assert not left, f"still going: {left}"
        return result
    finally:
        loop.close()
