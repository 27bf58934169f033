"""Runs a coroutine on an event loop of its own, and blocking calls on threads, without waiting for leftovers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
#: Seconds that cancelled tasks have to end.
_GRACE = 0.5


def run_to_end(
    coroutine: Coroutine[Any, Any, T],  # Any: whatever it awaits
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> T:
    """Return the value of a coroutine, or raise its error.

    Unlike `asyncio.run` it waits a moment only for remaining tasks and asynchronous generators, and not at all for
    threads of the loop's executor: plugins leave them behind, and a sleep of an hour would delay the end by an hour.
    """
    try:
        loop = make_loop()
    except OSError:  # No descriptor is left.
        coroutine.close()
        raise
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(coroutine)
    finally:
        try:
            _cancel(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def in_own_thread(call: Callable[[], T]) -> T:
    """Return the value of a blocking call, or raise its error.

    The loop's executor has few threads, and plugins may have blocked all of them for ever.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()
    try:
        threading.Thread(target=_settle, args=(loop, ended, call), name="aside", daemon=True).start()
    except RuntimeError:  # The system has no thread left: the call blocks the loop, but it is made.
        return call()
    return await ended


def _settle(loop: asyncio.AbstractEventLoop, ended: asyncio.Future[T], call: Callable[[], T]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(ended.set_result, call())
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        settle = partial(ended.set_exception, error)

    def tell() -> None:
        if not ended.done():
            settle()

    with suppress(RuntimeError):  # The loop is closed by now.
        loop.call_soon_threadsafe(tell)


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=_GRACE))
    closing = loop.create_task(loop.shutdown_asyncgens())
    loop.run_until_complete(asyncio.wait([closing], timeout=_GRACE))
