"""Event loops that do not depend on what a plugin has made the default: the program's own, and one to load with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def new_standard_loop() -> asyncio.AbstractEventLoop:
    """Return a loop of the standard library, whatever policy a plugin has set."""
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()


@contextmanager
def event_loop() -> Iterator[Callable[[], None]]:
    """Let `asyncio.get_event_loop()` at module level work here; what is yielded sets it anew after `asyncio.run`."""
    loop = new_standard_loop()

    def renew() -> None:
        asyncio.set_event_loop(loop)

    policy, unused = asyncio.get_event_loop_policy(), sys.getrefcount(loop)
    renew()
    try:
        yield renew
    finally:
        policy.set_event_loop(None)
        asyncio.set_event_loop(None)
        # What a file has kept of it must go on working in its functions.
        if sys.getrefcount(loop) <= unused:
            loop.close()
