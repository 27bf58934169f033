"""Create event loops independent of a plugin's policy; shared by the program's start and the loading of files."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def new_standard_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of the standard library, whatever policy a plugin has set."""
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()


@contextmanager
def event_loop() -> Iterator[Callable[[], None]]:
    """Make `asyncio.get_event_loop()` work at module level; the yielded call sets it again after `asyncio.run`."""
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
        # If a file has kept a reference to the loop, it must go on working in its functions.
        if sys.getrefcount(loop) <= unused:
            loop.close()
