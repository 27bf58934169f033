"""Await something for a limited time without a task of its own, which would cost more than what is awaited here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


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
