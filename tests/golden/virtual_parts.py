"""Threads, locks, queues and event loops of a virtual world, as the standard library has them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import queue
import selectors
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from greenlet import greenlet

if TYPE_CHECKING:
    from tests.golden.virtual_world import VirtualWorld

Result = TypeVar("Result")
_MICRO = 1_000_000
#: The one there is in this process; set when it is installed.
world: VirtualWorld = None  # type: ignore[assignment]


_THREADS: dict[greenlet, VirtualThread] = {}


def current_thread() -> VirtualThread | threading.Thread:
    """Return the thread that asks; whatever is none of a program's own is its main thread."""
    return _THREADS.get(greenlet.getcurrent()) or threading.main_thread()


class VirtualThread:
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
        self.name, self.daemon, self.ident = name, bool(daemon), 0
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self._is_alive = False

    def start(self) -> None:
        self._is_alive = True
        world.spawn(self._run)

    def run(self) -> None:
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def join(self, timeout: float | None = None) -> None:
        world.wait(lambda: not self._is_alive, timeout)

    def is_alive(self) -> bool:
        return self._is_alive

    def _run(self) -> None:
        _THREADS[greenlet.getcurrent()] = self
        try:
            self.run()
        except Exception:
            logging.getLogger("virtual").exception("a thread broke")
        finally:
            self._is_alive = False


class VirtualTimer(VirtualThread):
    def __init__(self, interval: float, function: Callable[..., object], *_: object) -> None:
        super().__init__(target=function)
        self._interval, self._is_cancelled = interval, False

    def cancel(self) -> None:
        self._is_cancelled = True

    def run(self) -> None:
        if not world.wait(lambda: self._is_cancelled, self._interval):
            super().run()


class VirtualLock:
    def __init__(self) -> None:
        self._is_held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._is_held and not (blocking and world.wait(lambda: not self._is_held, None if timeout < 0 else timeout)):
            return False
        self._is_held = True
        return True

    def release(self) -> None:
        self._is_held = False

    def locked(self) -> bool:
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class VirtualEvent:
    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        return world.wait(lambda: self._is_set, timeout)


class VirtualCondition:
    def __init__(self, lock: object = None) -> None:  # noqa: ARG002 - as threading has it
        self._lock = VirtualLock()
        self._waiting: list[list[bool]] = []

    def acquire(self, *words: Any) -> bool:
        return self._lock.acquire(*words)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        woken = [False]
        self._waiting.append(woken)
        self._lock.release()
        is_woken = world.wait(lambda: woken[0], timeout)
        if not is_woken:
            self._waiting.remove(woken)
        self._lock.acquire()
        return is_woken

    def wait_for(self, is_so: Callable[[], bool], timeout: float | None = None) -> bool:
        while not is_so():
            if not self.wait(timeout):
                return is_so()
        return True

    def notify(self, n: int = 1) -> None:
        for _ in range(min(n, len(self._waiting))):
            self._waiting.pop(0)[0] = True

    def notify_all(self) -> None:
        self.notify(len(self._waiting))


class VirtualQueue:
    def __init__(self) -> None:
        self._items: list[object] = []

    def put(self, item: object, *_: object) -> None:
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        if not self._items and not (block and world.wait(lambda: bool(self._items), timeout)):
            raise queue.Empty
        return self._items.pop(0)

    def get_nowait(self) -> object:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)

    def __class_getitem__(cls, _: object) -> type:
        return cls


class _Selector(selectors.DefaultSelector):
    """Lets the world go on in place of waiting."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            world.yield_()
            return super().select(0)
        world.wait(lambda: bool(super(_Selector, self).select(0)), timeout)
        return super().select(0)


class _Timer(asyncio.TimerHandle):
    """Of two that are due at one time the one made first comes first, whatever Python's heap makes of them."""

    __slots__ = ("_number",)
    _numbers = itertools.count()

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self._number = next(self._numbers)

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, _Timer)
        return (self.when(), self._number) < (other.when(), other._number)


def install_loop() -> None:
    """Let every loop there will be, however it is made, live in the world."""
    loop_class: Any = asyncio.SelectorEventLoop
    begin, run = loop_class.__init__, loop_class.run_forever

    def init(self: Any, selector: selectors.BaseSelector | None = None) -> None:
        begin(self, selector or _Selector())
        self._clock_resolution = 1 / _MICRO

    def run_forever(self: Any) -> None:
        # A program beside it finds it there.
        if world.guest is not None and (world.host is None or not world.host.is_running()):
            world.host = self
            # Kept there, or it would be collected.
            world.guests.append(self.create_task(world.guest()))
        run(self)

    loop_class.__init__, loop_class.run_forever = init, run_forever
    loop_class.time = lambda _: world.monotonic()
    loop_class.run_in_executor = _run_in_executor
    asyncio.events.TimerHandle = _Timer  # type: ignore[misc]


def _run_in_executor(loop: asyncio.AbstractEventLoop, _: object, func: Callable[..., Result], *args: Any) -> Any:
    future = loop.create_future()

    def run() -> None:
        try:
            result = func(*args)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            loop.call_soon_threadsafe(_unless_done, future, future.set_exception, error)
        else:
            loop.call_soon_threadsafe(_unless_done, future, future.set_result, result)

    VirtualThread(target=run).start()
    return future


def _unless_done(future: asyncio.Future[Any], conclude: Callable[[Any], object], value: object) -> None:
    if not future.done():
        conclude(value)
