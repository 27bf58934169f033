"""Await something for a limited time without a task of its own, which would cost more; and end tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

_T = TypeVar("_T")
#: In seconds, after which a task that goes on is cancelled again.
_AGAIN = 0.2


async def within(seconds: float, work: Awaitable[_T]) -> _T:
    """Return what is awaited; cancel it after so many seconds and raise `asyncio.TimeoutError`.

    It is awaited in the task of the caller, which nobody else may cancel and go on with.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a coroutine is awaited in a task"
    is_over = False

    def expire() -> None:
        nonlocal is_over
        is_over = task.cancel()

    timer = loop.call_later(seconds, expire)
    try:
        return await work
    except asyncio.CancelledError:
        if is_over:
            raise asyncio.TimeoutError from None
        raise
    finally:
        timer.cancel()


async def end_tasks(tasks: Iterable[asyncio.Future[Any]]) -> None:  # Any: none of their results is used
    """Cancel tasks until all have ended; a cancellation is lost where what was waited for comes at the same moment."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_AGAIN)
