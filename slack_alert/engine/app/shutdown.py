"""Signals that end the program: the first begins to drain, the second exits at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import NoReturn


class ShutdownSignals:
    """Handles SIGINT and SIGTERM, and the exit code they cause; SIGHUP counts as SIGTERM, or requests a reload.

    After `limit` from the first signal (None: never) the process exits, even if a coroutine function blocks the loop.
    `last` is called before an immediate exit; it must not wait, and take no lock. `has_terminal` returns whether there
    is a terminal whose closing would end the program.
    """

    def __init__(
        self,
        limit: timedelta | None = None,
        last: Callable[[], object] = lambda: None,
        *,
        has_terminal: Callable[[], bool] | None = None,
    ) -> None:
        self._limit = limit
        self._last = last
        self._has_terminal = has_terminal or _has_terminal
        #: Signals that a plugin has taken, and that were reported.
        self._told: set[int] = set()
        self._handlers: dict[int, Callable[..., object]] = {}
        self._begun = asyncio.Event()
        self._signal = signal.SIGTERM
        self._is_asked = False

    def listen(self, reload: Callable[[], None] | None = None) -> None:
        """Install the handlers; PID 1 in a container gets no signals without. `reload` is called on SIGHUP, if set."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            # Not loop.add_signal_handler: Windows lacks it, and under gevent the hub owns the wake-up descriptor.
            self._take(each, lambda number, _: self._on_signal(loop, number))
        if sys.platform != "win32":
            self._listen_for_hang_up(loop, reload)
            # An alarm that a plugin function sets would end the process.
            self._take(signal.SIGALRM, lambda *_: None)

    def restore(self) -> list[str]:
        """Reinstall handlers that a function has replaced; return a warning for each signal, once."""
        if self._is_asked:  # By now the alarm belongs to the shutdown.
            return []
        lost = [number for number, handler in self._handlers.items() if signal.getsignal(number) is not handler]
        for number in lost:
            signal.signal(number, self._handlers[number])
        new = [number for number in lost if number not in self._told]
        self._told.update(new)
        return [f"a plugin has taken {signal.Signals(number).name}, which is the program's: undone" for number in new]

    def _take(self, number: int, handler: Callable[[int, FrameType | None], object]) -> None:
        self._handlers[number] = handler
        signal.signal(number, handler)

    def drain(self, number: int) -> None:
        """Begin to drain."""
        self._signal = signal.Signals(number)
        self._begun.set()

    async def begun(self) -> None:
        """Wait for the first signal."""
        await self._begun.wait()

    @property
    def forced_code(self) -> int:
        """The exit code where runs or messages were cut off: 130 or 143."""
        return 128 + self._signal

    def _on_signal(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        if self._is_asked or self._begun.is_set():
            self._end(number)
        self._is_asked = True
        if self._limit is not None:
            _after(self._limit, lambda: self._end(number))
        loop.call_soon_threadsafe(self.drain, number)

    def _listen_for_hang_up(self, loop: asyncio.AbstractEventLoop, reload: Callable[[], None] | None) -> None:
        # A hang-up that is ignored from the start (nohup) must not end the program.
        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        if is_ignored and reload is None:
            return
        may_close = not is_ignored and self._has_terminal()

        def on_hang_up(*_: object) -> None:
            # Where the window was closed, the signal is no request to reload.
            is_closed = may_close and not self._has_terminal()
            self._hang_up(loop, None if is_closed else reload)

        self._take(signal.SIGHUP, on_hang_up)

    def _hang_up(self, loop: asyncio.AbstractEventLoop, reload: Callable[[], None] | None) -> None:
        if reload is not None:
            loop.call_soon_threadsafe(reload)
        elif not (self._is_asked or self._begun.is_set()):
            # A closed terminal sends it, and the shell in it once more: that is no second request.
            self._on_signal(loop, signal.SIGTERM)

    def _end(self, number: int) -> NoReturn:
        # No exit hook, nothing that could hang, and no waiting for a blocked loop.
        try:
            self._last()
        finally:
            os._exit(128 + number)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


if sys.platform == "win32":

    def _after(limit: timedelta, end: Callable[[], object]) -> None:
        timer = threading.Timer(limit.total_seconds(), end)
        timer.daemon = True
        timer.start()

else:

    def _after(limit: timedelta, end: Callable[[], object]) -> None:
        # Not a thread: under gevent that is a greenlet, which waits for the blocked loop itself.
        signal.signal(signal.SIGALRM, lambda *_: end())
        signal.setitimer(signal.ITIMER_REAL, max(0.001, limit.total_seconds()))
