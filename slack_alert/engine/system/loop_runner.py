"""Run a coroutine on an event loop of its own, blocking calls beside it, and wait for nothing that is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
#: So many seconds what is left has to end when it is cancelled.
_GRACE = 0.5


def run_to_end(
    coroutine: Coroutine[Any, Any, T],  # Any: whatever it awaits
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> T:
    """Return what a coroutine returns, or raise what it raises.

    Unlike `asyncio.run` it gives tasks and asynchronous generators that go on a moment only, and threads of the loop's
    executor none: plugins leave them behind, and one that sleeps for an hour would keep the program for an hour.
    """
    try:
        loop = make_loop()
    except OSError:  # No descriptor is left; whoever is asked tells.
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
    """Return what a call gives that blocks, or raise what it raises.

    The loop's executor has few threads, and plugins may have left all of them waiting for something that never comes.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()
    try:
        threading.Thread(target=_settle, args=(loop, ended, call), name="aside", daemon=True).start()
    except RuntimeError:  # The system has no thread left: whoever waits for it is held up, and it is done.
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
