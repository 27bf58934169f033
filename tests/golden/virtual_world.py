"""One process in which no time passes by itself: clocks, sleeps, threads and event loops are played through in order.

`VirtualWorld.install` must come before anything of the product is imported. From then on every thread is a greenlet
that goes on only where another one waits, and the clock jumps to the next thing that is due. So the whole program runs
as it is, and does the same in every run. It is for a process of its own: nothing is put back.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import logging
import math
import os
import queue
import random
import resource
import select
import signal
import sqlite3
import sqlite3.dbapi2
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from greenlet import greenlet

from tests.golden import virtual_parts

Result = TypeVar("Result")
_REAL = dt.datetime
_UTC = dt.timezone.utc
_MICRO = 1_000_000
_EPOCH = _REAL(1970, 1, 1, tzinfo=_UTC)
_real_sleep = time.sleep
#: So many milliseconds an answer over loopback may take before something else is taken to be what holds it up.
_PATIENCE = 5_000


class KilledError(BaseException):
    """The program is gone, as after kill -9."""


class LeftError(BaseException):
    """The program has ended its process at once, with a code."""


class _Waiter(NamedTuple):
    thread: greenlet
    is_over: Callable[[], bool]
    deadline: int | None


class Streams(NamedTuple):
    """What a program of its own has for itself, and the programs of this process share."""

    out: Any
    errors: Any
    given: Any
    handlers: list[logging.Handler]
    level: int
    show: Any
    loop: asyncio.AbstractEventLoop | None

    @classmethod
    def current(cls) -> Streams:
        root = logging.getLogger()
        loop = asyncio._get_running_loop()
        return cls(sys.stdout, sys.stderr, sys.stdin, root.handlers[:], root.level, warnings.showwarning, loop)

    def set(self) -> None:
        root = logging.getLogger()
        sys.stdout, sys.stderr, sys.stdin = self.out, self.errors, self.given
        root.handlers[:] = self.handlers
        root.setLevel(self.level)
        warnings.showwarning = self.show
        asyncio._set_running_loop(self.loop)


class VirtualWorld:
    """The time, and the threads that live in it."""

    def __init__(self, start: dt.datetime) -> None:
        self.micros = self._begun = (start - _EPOCH) // dt.timedelta(microseconds=1)
        self._main = greenlet.getcurrent()
        self._waiters: list[_Waiter] = []
        #: Threads whose program is gone; they must not be collected, which would raise something in them.
        self._gone: list[_Waiter] = []
        self._is_killed = False
        self.connections: list[sqlite3.Connection] = []
        #: Whether the program was killed, and nobody has noticed yet.
        self.is_dead = False
        #: What went on in programs that were killed; it must not be collected either.
        self._gone_tasks: set[asyncio.Task[Any]] = set()
        #: What else is served, on the loop of whichever program runs; and on which it is.
        self.guest: Callable[[], Coroutine[object, object, None]] | None = None
        self.host: asyncio.AbstractEventLoop | None = None
        self.guests: list[asyncio.Task[None]] = []
        #: Requests over the network that go on; no time passes meanwhile.
        self.in_flight = 0
        self._looks = 0
        #: Threads with streams of their own.
        self._programs: set[greenlet] = set()

    # --- what time it is

    @property
    def now(self) -> dt.datetime:
        return _EPOCH + dt.timedelta(microseconds=self.micros)

    def seconds(self) -> float:
        return self.micros / _MICRO

    def monotonic(self) -> float:
        """Return seconds since the beginning: of greater numbers floats have no microseconds."""
        return (self.micros - self._begun) / _MICRO

    def jump(self, to: dt.datetime) -> None:
        """Let it be another time, while nothing runs."""
        self.micros = (to - _EPOCH) // dt.timedelta(microseconds=1)

    # --- who goes on

    def spawn(self, target: Callable[[], object], *, has_streams: bool = False) -> None:
        """Let a thread begin as soon as another one waits."""
        thread = greenlet(target, parent=self._main)
        if has_streams:
            self._programs.add(thread)
        self._waiters.append(_Waiter(thread, lambda: True, None))

    def wait(self, is_over: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until something is so, or for so long; tell whether it is so."""
        deadline = None if timeout is None else self.micros + max(0, math.ceil(timeout * _MICRO))
        current = greenlet.getcurrent()
        if current is self._main:
            self._play(is_over, deadline)
        else:
            self._waiters.append(_Waiter(current, is_over, deadline))
            self._main.switch()
        return is_over()

    def is_in_thread(self) -> bool:
        """Return whether a thread asks, neither the program itself nor one beside it."""
        return greenlet.getcurrent() not in (self._main, *self._programs)

    def sleep(self, seconds: float) -> None:
        self.wait(lambda: False, seconds)

    def yield_(self) -> None:
        """Let every thread that can go on do so once."""
        if greenlet.getcurrent() is self._main:
            for waiter in [each for each in self._waiters if self._may_go_on(each)]:
                self._resume(waiter)

    def kill(self) -> None:
        """End the program where its loop waits next."""
        self._is_killed = True

    def bury(self) -> None:
        """Forget all threads: their program has ended."""
        self._gone += self._waiters
        self._waiters.clear()

    def _note_connections(self) -> None:
        """Know the databases that are open: a system that ends a program closes them."""
        connect = sqlite3.connect

        def noted(*words: Any, **options: Any) -> sqlite3.Connection:
            self.connections.append(connect(*words, **options))
            return self.connections[-1]

        # The product puts its own before the one in the module that the package has its names from.
        sqlite3.connect = sqlite3.dbapi2.connect = noted  # type: ignore[assignment]

    def close_all(self) -> None:
        """Do what the system does for a program that was killed."""
        while self.connections:
            connection = self.connections.pop()
            # A statement that somebody holds keeps it open, and with it what it has locked.
            with suppress(sqlite3.ProgrammingError):  # The program has closed it itself.
                connection.rollback()
            connection.close()

    def _play(self, is_over: Callable[[], bool], deadline: int | None) -> None:
        while True:
            if self._is_killed:
                self._is_killed = False
                self.is_dead = True
                self.bury()
                raise KilledError
            if is_over() or (deadline is not None and self.micros >= deadline):
                return
            ready = next((each for each in self._waiters if self._may_go_on(each)), None)
            if ready is not None:
                self._looks = 0
                self._resume(ready)
                continue
            if self.in_flight and self._looks < _PATIENCE:
                self._looks += 1
                _real_sleep(0.001)
                continue
            self._looks = 0
            ends = [each.deadline for each in self._waiters if each.deadline is not None]
            if deadline is not None:
                ends.append(deadline)
            assert ends, "everything waits, and nothing will ever happen"
            self.micros = max(self.micros, min(ends))

    def _may_go_on(self, waiter: _Waiter) -> bool:
        return waiter.is_over() or (waiter.deadline is not None and waiter.deadline <= self.micros)

    def _resume(self, waiter: _Waiter) -> None:
        self._waiters.remove(waiter)
        streams = Streams.current()
        if waiter.thread not in self._programs:
            waiter.thread.switch()
            asyncio._set_running_loop(streams.loop)
            return
        own: Streams | None = getattr(waiter.thread, "streams", None)
        if own is not None:
            own.set()
        else:
            asyncio._set_running_loop(None)
        waiter.thread.switch()
        waiter.thread.streams = Streams.current()
        streams.set()

    # --- how the rest of Python sees it

    def install(self, package: str) -> None:
        """Put everything of `package`, and all that is imported from now on, into this world."""
        global _world
        _world = virtual_parts.world = self
        time.time = self.seconds
        time.time_ns = lambda: self.micros * 1000
        time.monotonic = time.perf_counter = self.monotonic
        time.process_time = lambda: 0.0
        time.sleep = self.sleep  # type: ignore[assignment]
        for name in ("Thread", "Timer", "Event", "Lock", "Condition"):
            setattr(threading, name, getattr(virtual_parts, f"Virtual{name}"))
        threading.current_thread = virtual_parts.current_thread  # type: ignore[assignment]
        queue.SimpleQueue = virtual_parts.VirtualQueue  # type: ignore[misc,assignment]
        numbers = itertools.count(1)
        random.random = lambda: 0.5
        uuid.uuid4 = lambda: uuid.UUID(int=next(numbers), version=4)
        virtual_parts.install_loop()
        for module in _import_all(package):
            _freeze(module)
        _take_turns(self)
        os._exit = _exit
        # A fork of this process would be a second one in this world.
        os.fork = _no_fork
        all_tasks = asyncio.all_tasks

        def left(loop: asyncio.AbstractEventLoop | None = None) -> set[asyncio.Task[Any]]:
            if not self.is_dead:
                return all_tasks(loop)
            # After a kill nobody is there any more to be cancelled.
            self._gone_tasks |= all_tasks(loop)
            return set()

        asyncio.all_tasks = asyncio.tasks.all_tasks = left
        self._note_connections()
        _let_programs_take_no_time()
        # It would go by the real clock.
        signal.setitimer = lambda *_: (0.0, 0.0)


_world: VirtualWorld


class _NowMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL)


class _Datetime(_REAL, metaclass=_NowMeta):
    """The class `datetime` for who asks it for the time."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return _world.now.astimezone(tz) if tz else _world.now.replace(tzinfo=None)


def _import_all(package: str) -> Iterable[ModuleType]:
    """Import every module there is, wherever it lies, so that each can be given the time."""
    root = __import__(package)
    folder = Path(root.__path__[0])
    for file in sorted(folder.rglob("*.py")):
        name = ".".join(file.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        text = file.read_text(encoding="utf-8")
        # These import what would patch this process, or run the program.
        if "datetime.now(" in text and "gevent" not in name:
            __import__(name)
            yield sys.modules[name]
    for name in ("apscheduler.schedulers.base", "apscheduler.util"):
        __import__(name)
        yield sys.modules[name]


def _take_turns(world: VirtualWorld) -> None:
    """Note which requests go on, and let them go one after the other, or their answers would come in any order."""
    import aiohttp

    request = aiohttp.ClientSession._request
    turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def counted(self: aiohttp.ClientSession, *words: Any, **options: Any) -> Any:
        world.in_flight += 1
        try:
            async with turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                answer = await request(self, *words, **options)
                await answer.read()  # It keeps what it has read.
                return answer
        finally:
            world.in_flight -= 1

    aiohttp.ClientSession._request = counted  # type: ignore[method-assign]


def _let_programs_take_no_time() -> None:
    """Wait for other programs while the clock stands still; `sleep` alone sleeps as long as who waits has patience."""
    wait = subprocess.Popen.wait

    def waited(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        is_asleep = isinstance(self.args, list | tuple) and self.args[0] == "sleep"
        if is_asleep and timeout is not None and not hasattr(self, "has_slept"):
            self.has_slept = True  # type: ignore[attr-defined]
            _world.sleep(timeout)
            raise subprocess.TimeoutExpired(self.args, timeout)
        return wait(self)

    read = os.read

    def read_later(descriptor: int, most: int) -> bytes:
        if _world.is_in_thread():
            _world.wait(lambda: bool(select.select([descriptor], [], [], 0)[0]))
        return read(descriptor, most)

    subprocess.Popen.wait = waited  # type: ignore[method-assign, assignment]
    os.read = read_later
    usage = resource.struct_rusage((0.01, 0.01, 10_000, *[0] * 13))
    resource.getrusage = lambda _: usage


def _no_fork() -> NoReturn:
    raise OSError("no process is forked here")


def _exit(status: int) -> NoReturn:
    raise LeftError(status)


def _freeze(module: ModuleType) -> None:
    if getattr(module, "datetime", None) is _REAL:
        module.datetime = _Datetime  # type: ignore[attr-defined]


def breathe() -> None:
    """Let real time pass, so that a file's time of change tells one change from the next."""
    _real_sleep(0.005)


def end(code: int = 0) -> None:
    """End the process without unwinding the threads of programs that are gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    _real_exit(code)


_real_exit = os._exit
