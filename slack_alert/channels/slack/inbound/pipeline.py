"""Begin work in the order in which it comes, and carry out a bounded number at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

#: Must not raise.
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]  # Any: whatever it awaits


class Pipeline:
    """Work of which many wait for the disk together, so that a flood costs a few commits; used on one event loop."""

    def __init__(self, *, at_once: int, most: int) -> None:
        self._at_once = at_once
        self._most = most
        self._waiting: deque[Work] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, work: Work) -> bool:
        """Begin the work after all that was added before; return False if too much waits already."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append(work)
        self._begin()
        return True

    async def close(self, seconds: float) -> None:
        """Go on with what was added for so long; give up the rest."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        self._waiting.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self) -> None:
        # Tasks take their first steps in the order in which they were made.
        while self._waiting and len(self._tasks) < self._at_once:
            task = asyncio.get_running_loop().create_task(self._waiting.popleft()())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._begin()
