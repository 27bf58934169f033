"""Carry out work in order within each lane, and of a few lanes at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

#: Must not raise.
Work: TypeAlias = Callable[[], Awaitable[None]]


class Lanes:
    """Work by lane; to be used from one event loop."""

    def __init__(self, *, at_once: int, most: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = most
        self._waiting: dict[str, deque[Work]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._count = 0

    def add(self, lane: str, work: Work) -> bool:
        """Carry out the work after all that was added to this lane; return False if too much waits already."""
        if self._count >= self._most:
            return False
        self._count += 1
        self._waiting.setdefault(lane, deque()).append(work)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.ensure_future(self._go_on(lane))
        return True

    async def close(self, seconds: float) -> None:
        """Go on with what was added for so long; give up the rest."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go_on(self, lane: str) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                async with self._free:
                    self._count -= 1
                    await waiting.popleft()()
        finally:
            self._count -= len(waiting)
            del self._waiting[lane], self._tasks[lane]
