"""Threads on a virtual clock, switched only where they wait or meet a lock, in an order that the test chooses."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count
from typing import cast

from greenlet import greenlet

#: Picks one of so many.
Choose = Callable[[int], int]


class _Pause:
    """One thread that waits; it goes on once, whoever wakes it first."""

    def __init__(self, thread: greenlet) -> None:
        self._thread = thread
        self._is_over = False

    def end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._thread.switch()


class VirtualThreads:
    """Greenlets as `Threads`; `play` plays them through as fast as the machine computes."""

    def __init__(self, choose: Choose = lambda _: 0, *, is_computing: bool = False, most: int = 1000) -> None:
        self.now = 0.0
        self.started = 0
        self._choose = choose
        self._is_computing = is_computing
        self._most = most
        self._ready: list[_Pause] = []
        self._timers: list[tuple[float, int, _Pause]] = []
        self._order = count()
        self._main = greenlet.getcurrent()

    def start(self, target: Callable[[], None], name: str) -> None:
        """Let it begin when it is chosen."""
        if self.started == self._most:
            raise RuntimeError(f"can't start {name}")
        self.started += 1
        self._ready.append(_Pause(greenlet(target, parent=self._main)))

    def condition(self) -> threading.Condition:
        return cast("threading.Condition", VirtualCondition(self))

    def sleep(self, seconds: float) -> None:
        self.suspend(self.wake_after(self.pause(), seconds))

    def processor_seconds(self) -> float:
        """Return none, as while every function waits for something, or one that computes all the time."""
        return self.now if self._is_computing else 0.0

    def pause(self) -> _Pause:
        """Return what wakes the current thread."""
        return _Pause(greenlet.getcurrent())

    def wake(self, pause: _Pause) -> _Pause:
        self._ready.append(pause)
        return pause

    def wake_after(self, pause: _Pause, seconds: float) -> _Pause:
        heapq.heappush(self._timers, (self.now + seconds, next(self._order), pause))
        return pause

    def suspend(self, _: _Pause) -> None:
        """Wait until somebody wakes it."""
        self._main.switch()

    def play(self, until: float) -> None:
        """Let happen what happens up to that time."""
        while self._ready or (self._timers and self._timers[0][0] <= until):
            if self._ready:
                self._ready.pop(self._choose(len(self._ready))).end()
            else:
                self.now, _, pause = heapq.heappop(self._timers)
                pause.end()


class VirtualCondition:
    """A condition; before its lock is taken, any other thread may come first."""

    def __init__(self, threads: VirtualThreads) -> None:
        self._threads = threads
        self._is_locked = False
        self._blocked: list[_Pause] = []
        self._waiting: list[_Pause] = []

    def __enter__(self) -> bool:
        threads = self._threads
        threads.suspend(threads.wake(threads.pause()))
        while self._is_locked:
            pause = threads.pause()
            self._blocked.append(pause)
            threads.suspend(pause)
        self._is_locked = True
        return True

    def __exit__(self, *_: object) -> None:
        self._is_locked = False
        while self._blocked:
            self._threads.wake(self._blocked.pop())

    def wait(self, timeout: float) -> bool:
        pause = self._threads.wake_after(self._threads.pause(), timeout)
        self._waiting.append(pause)
        self.__exit__()
        self._threads.suspend(pause)
        is_notified = pause not in self._waiting
        if not is_notified:
            self._waiting.remove(pause)
        self.__enter__()
        return is_notified

    def notify(self, n: int) -> None:
        woken, self._waiting = self._waiting[:n], self._waiting[n:]
        for pause in woken:
            self._threads.wake(pause)

    def notify_all(self) -> None:
        self.notify(len(self._waiting))
