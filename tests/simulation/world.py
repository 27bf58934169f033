"""The world of a simulation: one heap of (time, sequence, action), one seed, and threads that are greenlets.

Everything that waits, waits here. A thread goes on only where another one waits, in an order that the seed draws; where
nobody can go on, the clock jumps to the next thing that is due. So the same seed makes the same run.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from heapq import heappop, heappush
from itertools import count

from greenlet import getcurrent, greenlet

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICRO = 1_000_000
#: A thread that goes on after it was killed so often is left where it is.
_MOST_THROWS = 200


class KilledError(BaseException):
    """The program is gone, as after kill -9: raised in whatever of it still runs."""


class StuckError(AssertionError):
    """Everything waits, and nothing will ever happen."""


class Waiter:
    """A thread that waits, for something or until a time."""

    __slots__ = ("is_over", "is_woken", "thread", "world")

    def __init__(self, world: World, thread: Thread) -> None:
        self.world, self.thread = world, thread
        self.is_over = self.is_woken = False

    def wake(self) -> bool:
        """Let the thread go on; return False if it does already."""
        if self.is_over:
            return False
        self.is_over = self.is_woken = True
        self.world.ready.append(self)
        return True

    def expire(self) -> None:
        """Let the thread go on, because its time is over."""
        if not self.is_over:
            self.is_over = True
            self.world.ready.append(self)


class Thread:
    """A thread of a life."""

    __slots__ = ("greenlet", "life", "loop", "name", "number", "thrown")

    def __init__(self, number: int, life: Life, name: str) -> None:
        self.number, self.life, self.name = number, life, name
        self.greenlet: greenlet | None = None
        #: The event loop that runs in it, while another thread goes on.
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thrown = 0


class Life:
    """One process, from its start to whatever ends it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_dead = False
        self.threads: dict[Thread, None] = {}
        #: It is killed at this step, counted from its start; None: not so.
        self.last_step: int | None = None
        self.steps = 0


class World:
    """The time, the order of threads, and all chance."""

    def __init__(self, seed: int, start: datetime, *, preempts: float = 0.0, drift: int = 0) -> None:
        """`preempts`: how likely a thread lets others go first; `drift`: microseconds that a step may take."""
        self.random = random.Random(seed)
        self.micros = 0
        self.ready: list[Waiter] = []
        #: What the wall clock is ahead of the one that never jumps, in microseconds.
        self._offset = (start - EPOCH) // timedelta(microseconds=1)
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count(1)
        self._hub = getcurrent()
        self._current: Thread | None = None
        self._preempts = preempts
        self._drift = drift
        #: Threads that cannot be ended; collecting them would raise something in them.
        self._left: list[Thread] = []
        #: Called with what happens, for the log of a failing seed.
        self.note: Callable[[str], object] = lambda _: None

    # --- what time it is

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return EPOCH + timedelta(microseconds=self.micros + self._offset)

    def seconds(self) -> float:
        """Return the wall clock's time in seconds since 1970."""
        return (self.micros + self._offset) / _MICRO

    def monotonic(self) -> float:
        """Return seconds since the beginning."""
        return self.micros / _MICRO

    def step_clock(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._offset += int(seconds * _MICRO)

    def freeze(self, seconds: float) -> None:
        """Let time pass in which nothing runs."""
        self.micros += int(seconds * _MICRO)

    # --- what happens when

    def at(self, micros: int, action: Callable[[], object]) -> None:
        """Have an action at a time; it must not wait."""
        heappush(self._heap, (max(micros, self.micros), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Have an action so many seconds from now; it must not wait."""
        self.at(self.micros + math.ceil(seconds * _MICRO), action)

    # --- who goes on

    @property
    def current(self) -> Thread | None:
        """The thread that runs; None: the world itself."""
        return self._current

    def spawn(self, life: Life, target: Callable[[], object], name: str) -> Thread:
        """Let a thread of a life begin soon."""
        thread = Thread(next(self._numbers), life, name)

        def run() -> None:
            try:
                target()
            except KilledError:
                pass
            finally:
                life.threads.pop(thread, None)

        thread.greenlet = greenlet(run, parent=self._hub)
        life.threads[thread] = None
        self.ready.append(Waiter(self, thread))
        return thread

    def waiter(self) -> Waiter:
        """Return what lets the present thread go on."""
        thread = self._current
        if thread is None:
            raise StuckError("the world itself cannot wait")
        if thread.life.is_dead:
            raise KilledError
        return Waiter(self, thread)

    def wait(self, waiter: Waiter, timeout: float | None = None) -> bool:
        """Wait until it is woken, or for so long; return whether it was woken."""
        if timeout is not None:
            self.at(self.micros + max(0, math.ceil(timeout * _MICRO)), waiter.expire)
        self._hub.switch()
        if waiter.thread.life.is_dead:
            raise KilledError
        return waiter.is_woken

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
        self.wait(self.waiter(), seconds)

    def pass_on(self) -> None:
        """Let others go first, now and then; a thread may be interrupted here."""
        if self._preempts and self._current is not None and self.random.random() < self._preempts:
            waiter = self.waiter()
            waiter.wake()
            self.wait(waiter)

    def step(self, what: str) -> None:
        """Note a step of the program, which may be its last."""
        thread = self._current
        if thread is None:
            return
        life = thread.life
        if life.is_dead:
            raise KilledError
        life.steps += 1
        self.note(what)
        if life.steps == life.last_step:
            self.kill(life, what)
            raise KilledError
        self.pass_on()

    def kill(self, life: Life, at: str = "") -> None:
        """End a life; nothing of it goes on."""
        if not life.is_dead:
            life.is_dead = True
            self.note(f"killed {at}".rstrip())

    def play(self, is_over: Callable[[], bool]) -> None:
        """Let things happen until it is over; raise `StuckError` where nothing can happen any more."""
        ready, heap = self.ready, self._heap
        while not is_over():
            if ready:
                self._resume(ready.pop(self._choice(len(ready))))
            elif heap:
                due, _, action = heappop(heap)
                self.micros = max(self.micros, due)
                action()
            else:
                raise StuckError("everything waits, and nothing will ever happen")

    def bury(self, life: Life) -> None:
        """End the threads of a life that is over, whatever they are at."""
        life.is_dead = True
        self.ready[:] = [each for each in self.ready if each.thread.life is not life]
        for thread in list(life.threads):
            self._throw(thread)
        life.threads.clear()

    def _choice(self, many: int) -> int:
        return int(self.random.random() * many) if many > 1 and self._preempts else 0

    def _resume(self, waiter: Waiter) -> None:
        thread = waiter.thread
        if self._drift:
            self.micros += int(self.random.random() * self._drift)
        self._switch(thread, ())

    def _switch(self, thread: Thread, error: tuple[type[BaseException], ...]) -> None:
        assert thread.greenlet is not None
        self._current = thread
        asyncio._set_running_loop(thread.loop)
        try:
            if error:
                thread.greenlet.throw(*error)
            else:
                thread.greenlet.switch()
        finally:
            thread.loop = asyncio._get_running_loop()
            asyncio._set_running_loop(None)
            self._current = None

    def _throw(self, thread: Thread) -> None:
        while thread.greenlet is not None and not thread.greenlet.dead:
            thread.thrown += 1
            if thread.thrown > _MOST_THROWS or not thread.greenlet:
                self._left.append(thread)  # It has not begun, or does not end.
                return
            self._switch(thread, (KilledError,))
