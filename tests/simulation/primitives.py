"""Threads, locks, queues and an event loop that live in a world, as the standard library has them."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from tests.simulation.world import StuckError, Thread, Waiter, World

Result = TypeVar("Result")
#: An event loop that turns so often at one time does so for ever.
_MOST_TURNS = 50_000
log = logging.getLogger("simulation")

#: The one there is at present.
world: World = None  # type: ignore[assignment]
_main = threading.main_thread()
_names: dict[Thread, SimulatedThread] = {}


def ident() -> int:
    """Return what tells the present thread from others."""
    current = world.current
    return 1 if current is None else current.number


def current_thread() -> object:
    """Return the thread that asks; a life's first one is its main thread."""
    current = world.current
    return _main if current is None else _names.get(current, _main)


class SimulatedThread:
    """A thread that is a greenlet."""

    def __init__(
        self,
        group: None = None,  # noqa: ARG002 - as threading has it
        target: Callable[..., object] | None = None,
        name: str = "thread",
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        self.name, self.daemon, self.ident = name, bool(daemon), None
        self._call = partial(target or (lambda: None), *args, **(kwargs or {}))
        self._ended = SimulatedEvent()

    def start(self) -> None:
        current = world.current
        assert current is not None, "threads belong to a life"
        thread = world.spawn(current.life, self._run, self.name)
        self.ident = thread.number  # type: ignore[assignment]
        _names[thread] = self
        world.pass_on()

    def run(self) -> None:
        self._call()

    def join(self, timeout: float | None = None) -> None:
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        return self.ident is not None and not self._ended.is_set()

    def _run(self) -> None:
        try:
            self.run()
        except Exception:
            log.exception("a thread broke")
        finally:
            _names.pop(world.current, None)  # type: ignore[arg-type]
            self._ended.set()


class SimulatedLock:
    """A lock; where several wait for it, the seed decides who is next."""

    __slots__ = ("_is_held", "_waiting")

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: deque[Waiter] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        world.pass_on()
        while self._is_held:
            if not blocking:
                return False
            waiter = world.waiter()
            self._waiting.append(waiter)
            if not world.wait(waiter, None if timeout < 0 else timeout):
                return False
        self._is_held = True
        return True

    def release(self) -> None:
        self._is_held = False
        while self._waiting and not self._waiting.popleft().wake():
            pass

    def locked(self) -> bool:
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimulatedRLock(SimulatedLock):
    """A lock that its holder may take again."""

    __slots__ = ("_depth", "_holder")

    def __init__(self) -> None:
        super().__init__()
        self._depth, self._holder = 0, 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._depth and self._holder == ident():
            self._depth += 1
            return True
        if not super().acquire(blocking, timeout):
            return False
        self._depth, self._holder = 1, ident()
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            super().release()


class SimulatedEvent:
    """A flag that can be waited for."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[Waiter] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.wake()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            waiter = world.waiter()
            self._waiting = [each for each in self._waiting if not each.is_over]
            self._waiting.append(waiter)
            world.wait(waiter, timeout)
        return self._is_set


class SimulatedCondition:
    """A condition."""

    def __init__(self, lock: Any = None) -> None:  # Any: whatever has the methods of a lock
        self._lock = lock or SimulatedRLock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        self._waiting: deque[Waiter] = deque()

    def __enter__(self) -> bool:
        return bool(self.acquire())

    def __exit__(self, *_: object) -> None:
        self.release()

    def wait(self, timeout: float | None = None) -> bool:
        waiter = world.waiter()
        self._waiting.append(waiter)
        self.release()
        is_woken = world.wait(waiter, timeout)
        if not is_woken:
            self._waiting.remove(waiter)
        self.acquire()
        return is_woken

    def wait_for(self, is_so: Callable[[], Any], timeout: float | None = None) -> Any:  # as threading has it
        end = None if timeout is None else world.monotonic() + timeout
        while not (found := is_so()):
            left = None if end is None else end - world.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
        return found

    def notify(self, n: int = 1) -> None:
        woken = 0
        while woken < n and self._waiting:
            woken += self._waiting.popleft().wake()

    def notify_all(self) -> None:
        self.notify(len(self._waiting))


class SimulatedSemaphore:
    """A semaphore."""

    def __init__(self, value: int = 1) -> None:
        self._value, self._changed = value, SimulatedCondition(SimulatedLock())

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        with self._changed:
            if not self._value and not (blocking and self._changed.wait_for(lambda: self._value, timeout)):
                return False
            self._value -= 1
            return True

    def release(self, n: int = 1) -> None:
        with self._changed:
            self._value += n
            self._changed.notify(n)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()


class SimulatedQueue:
    """A queue without a bound."""

    def __init__(self, maxsize: int = 0) -> None:  # noqa: ARG002 - as queue has it
        self._items: deque[Any] = deque()
        self._waiting: deque[Waiter] = deque()

    def put(self, item: object, *_: object) -> None:
        self._items.append(item)
        while self._waiting and not self._waiting.popleft().wake():
            pass
        world.pass_on()

    put_nowait = put

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # whatever was put
        end = None if timeout is None else world.monotonic() + timeout
        while not self._items:
            left = None if end is None else end - world.monotonic()
            if not block or (left is not None and left <= 0):
                raise queue.Empty
            waiter = world.waiter()
            self._waiting.append(waiter)
            world.wait(waiter, left)
        return self._items.popleft()

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)

    def __class_getitem__(cls, _: object) -> type:
        return cls


class SimulatedTimer(SimulatedThread):
    """A call after some time."""

    def __init__(self, interval: float, function: Callable[..., object], *_: object) -> None:
        super().__init__(target=function)
        self._interval, self._cancelled = interval, SimulatedEvent()

    def cancel(self) -> None:
        self._cancelled.set()

    def run(self) -> None:
        if not self._cancelled.wait(self._interval):
            super().run()


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop that waits in the world, and knows no network."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._waiter: Waiter | None = None
        self._is_written = False
        self._clock_resolution = 1e-6
        #: When it turned last, and how often at that time.
        self._turned, self._turns = -1, 0

    def time(self) -> float:
        return world.monotonic()

    def select(self, timeout: float | None = None) -> list[object]:
        """Wait until a timer is due, or another thread has something to call."""
        if timeout is not None and timeout <= 0:
            self._count_turn()
            world.pass_on()
        elif not self._is_written:
            self._waiter = world.waiter()
            world.wait(self._waiter, timeout)
        self._is_written, self._waiter = False, None
        return []

    def _count_turn(self) -> None:
        """Raise `StuckError` where it turns and turns, and no time passes."""
        self._turned, self._turns = world.micros, self._turns + 1 if self._turned == world.micros else 0
        if self._turns > _MOST_TURNS:
            raise StuckError(f"the event loop never waits any more: {asyncio.all_tasks(self)}"[:2000])

    def run_in_executor(self, _: object, func: Callable[..., Result], *args: Any) -> Any:  # type: ignore[override]
        """Call on a thread of its own."""
        future = self.create_future()

        def settle(conclude: Callable[[Any], object], value: object) -> None:
            if not future.done():
                conclude(value)

        def run() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                self.call_soon_threadsafe(settle, future.set_exception, error)
            else:
                self.call_soon_threadsafe(settle, future.set_result, result)

        SimulatedThread(target=run, name="executor").start()
        return future

    def _process_events(self, events: object) -> None:
        """Do nothing: there are none."""

    def _write_to_self(self) -> None:
        self._is_written = True
        if self._waiter is not None:
            self._waiter.wake()

    def close(self) -> None:
        """Close without waiting for anybody."""
        self._closed = True
