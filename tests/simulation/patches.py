"""Put this process into a world: the standard library's clocks, threads, queues and chance become the world's.

`install` must come before anything of the product is imported; the product takes all of these from the standard
library, as it does under gevent, so that it runs here as it is and nothing of this costs it anything elsewhere. It is
for a process of its own: nothing is put back.
"""

from __future__ import annotations

import datetime as dt
import os
import queue
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

from tests.simulation import primitives
from tests.simulation.world import KilledError, World

_REAL = dt.datetime
_handlers: dict[int, object] = {}
real_exit, real_time = os._exit, time.perf_counter


class _NowMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL)


class SimulatedDatetime(_REAL, metaclass=_NowMeta):
    """The class `datetime` for those that ask it for the time."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        now = primitives.world.now()
        return now.astimezone(tz) if tz else now.replace(tzinfo=None)


def enter(world: World) -> None:
    """Let this be the world."""
    primitives.world = world
    primitives._names.clear()


def install() -> None:
    """Patch the standard library; until another one is entered, there is a world in which nothing happens."""
    enter(World(0, _REAL(2026, 1, 1, tzinfo=dt.timezone.utc)))
    # Lambdas, because the world changes with each seed.
    time.time = lambda: primitives.world.seconds()  # noqa: PLW0108 - as said
    time.time_ns = lambda: int(primitives.world.seconds() * 1e9)
    time.monotonic = time.perf_counter = lambda: primitives.world.monotonic()  # noqa: PLW0108 - as said
    time.process_time = lambda: 0.0
    time.sleep = lambda seconds: primitives.world.sleep(float(seconds))
    threading.Thread = primitives.SimulatedThread  # type: ignore[assignment,misc]
    threading.Timer = primitives.SimulatedTimer  # type: ignore[assignment,misc]
    threading.Lock = primitives.SimulatedLock  # type: ignore[assignment]
    threading.RLock = primitives.SimulatedRLock  # type: ignore[assignment]
    threading.Event = primitives.SimulatedEvent  # type: ignore[assignment,misc]
    threading.Condition = primitives.SimulatedCondition  # type: ignore[assignment,misc]
    threading.Semaphore = primitives.SimulatedSemaphore  # type: ignore[assignment,misc]
    threading.get_ident = primitives.ident
    threading.current_thread = primitives.current_thread  # type: ignore[assignment]
    queue.SimpleQueue = queue.Queue = primitives.SimulatedQueue  # type: ignore[misc,assignment]
    random.random = lambda: primitives.world.random.random()  # noqa: PLW0108 - as said
    os.urandom = lambda size: primitives.world.random.randbytes(size)  # noqa: PLW0108 - as said
    uuid.uuid4 = lambda: uuid.UUID(int=primitives.world.random.getrandbits(128), version=4)
    os._exit = _exit
    os.fork = _no_fork
    signal.signal = _signal  # type: ignore[assignment]
    signal.getsignal = lambda number: _handlers.get(number, signal.SIG_DFL)  # type: ignore[assignment,return-value]
    signal.setitimer = lambda *_: (0.0, 0.0)


def freeze_names(*modules: Any) -> None:
    """Give modules that asked `datetime` for the time the world's."""
    for module in modules:
        module.datetime = SimulatedDatetime


def _exit(status: int) -> NoReturn:
    current = primitives.world.current
    assert current is not None
    primitives.world.kill(current.life, f"itself with {status}")
    raise KilledError


def _no_fork() -> NoReturn:
    raise OSError("no process is forked here")


def _signal(number: int, handler: Callable[..., object]) -> object:
    before = _handlers.get(number, signal.SIG_DFL)
    _handlers[number] = handler
    return before
