"""How the program is asked to end: the first signal drains, the second ends it at once."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

log = logging.getLogger(__name__)


class Ending:
    """The two signals, SIGINT and SIGTERM, and what they mean for the exit code."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()
        self._signal = signal.SIGTERM
        self._is_asked = False

    def listen(self) -> None:
        """Take the signals; PID 1 in a container gets none without this."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            # Not loop.add_signal_handler: Windows has none, and under gevent the hub owns the wake-up descriptor.
            signal.signal(each, lambda number, _: self._heed(loop, number))

    def begin(self, number: int) -> None:
        """Begin to drain."""
        self._signal = signal.Signals(number)
        self._begun.set()

    async def begun(self) -> None:
        """Wait for the first signal."""
        await self._begun.wait()

    @property
    def forced_code(self) -> int:
        """The exit code where something had to be cut off: 130 or 143."""
        return 128 + self._signal

    def _heed(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        if self._is_asked or self._begun.is_set():
            # At once means at once: no exit hook, nothing that could hang, and no waiting for a loop that stands still.
            os._exit(128 + number)
        self._is_asked = True
        loop.call_soon_threadsafe(self.begin, number)
