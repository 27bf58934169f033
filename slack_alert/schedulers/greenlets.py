"""What waits and computes under gevent; the process must have been patched before anything else was imported."""

from __future__ import annotations

import atexit
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from types import FrameType
from typing import Any, TypeVar, cast

import gevent
from gevent import get_hub, getcurrent

from slack_alert.core.errors import GivenUpError

T = TypeVar("T")

#: After so many seconds of the processor's time it is looked whether one must; so long the others go on then.
_TURN = 0.05


def blocking(call: Callable[..., T], *arguments: object) -> T:
    """Make a call that blocks in a native thread, so that the hub goes on; raise what it raises."""
    ended: tuple[T | None, BaseException | None] = get_hub().threadpool.apply(_ended, (call, arguments))
    result, error = ended
    if error is not None:
        raise error
    return cast("T", result)


def _ended(call: Callable[..., T], arguments: tuple[object, ...]) -> tuple[T | None, BaseException | None]:
    """Return what a call gives, or what it raises: the pool would write a traceback of its own to standard error."""
    try:
        return call(*arguments), None
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        return None, error


class GreenletCarrier:
    """Executes plugin files in greenlets of the main thread, because what a module makes there belongs to its hub.

    One that never waits is made to: a timer of the processor's time interrupts it, so that the hub goes on.
    """

    def __init__(self, patience: timedelta) -> None:
        #: After so many seconds a file must let others go on.
        self._patience = patience.total_seconds()
        #: Since when which greenlet is at a file.
        self._carried: dict[Any, float] = {}  # Any: the library ships no types
        # The interpreter takes the handler away at its end, and the timer would end the process.
        atexit.register(signal.setitimer, signal.ITIMER_VIRTUAL, 0)

    def current(self) -> object:
        """Return the caller's greenlet."""
        return getcurrent()

    def carry(self, call: Callable[[], T]) -> T:
        """Call it, and let others go on while it computes for long."""
        with self._preempted():
            return call()

    def interrupt(self, carried: object) -> None:
        """Raise GivenUpError there, soon."""
        gevent.kill(carried, GivenUpError())

    @contextmanager
    def _preempted(self) -> Iterator[None]:
        me = getcurrent()
        self._carried[me] = monotonic()
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGVTALRM, self._let_others)
        signal.setitimer(signal.ITIMER_VIRTUAL, _TURN, _TURN)
        try:
            yield
        finally:
            del self._carried[me]
            if not self._carried:
                self._stop()

    def _stop(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if signal.getsignal(signal.SIGINT) == self._end:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _let_others(self, _: int, frame: FrameType | None) -> None:
        began = self._carried.get(getcurrent())
        # Not within the import system, which has locks of the thread.
        is_importing = frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")
        if began is not None and monotonic() - began >= self._patience and not is_importing:
            gevent.sleep(_TURN)

    def _end(self, *_: object) -> None:
        """Let Ctrl+C end the program, and not be the exception of a file."""
        if getcurrent() in self._carried:
            get_hub().parent.throw(KeyboardInterrupt())
        raise KeyboardInterrupt
