"""What the puller pool asks of the system's threads; tests put threads on a virtual clock in their place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Condition(Protocol):
    """The part of `threading.Condition` that is used."""

    def __enter__(self) -> bool:
        """Acquire its lock."""

    def __exit__(self, *_: object) -> None:
        """Release its lock."""

    def wait(self, timeout: float) -> bool:
        """Release the lock until notified; return False after so many seconds without."""

    def notify(self, n: int) -> None:
        """Wake at most so many that wait."""

    def notify_all(self) -> None:
        """Wake all that wait."""


class Threads(Protocol):
    """Threads, or what stands for them: greenlets under gevent, whose patch nothing here knows of."""

    def start(self, target: Callable[[], None], name: str) -> None:
        """Start a thread that does not keep the process alive; raise RuntimeError where the system has none left."""

    def condition(self) -> Condition:
        """Return a new condition."""

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long."""

    def processor_seconds(self) -> float:
        """Return the processor time this process has used."""


class SystemThreads:
    """The standard library's."""

    def __init__(self) -> None:
        #: Never set. Waiting for it is a sleep that no plugin replaces by patching `time.sleep`.
        self._never = threading.Event()

    def start(self, target: Callable[[], None], name: str) -> None:
        """Start a daemon thread."""
        threading.Thread(target=target, name=name, daemon=True).start()

    def condition(self) -> threading.Condition:
        """Return a condition with a lock of its own."""
        return threading.Condition(threading.Lock())

    def sleep(self, seconds: float) -> None:
        """Wait for what never comes."""
        self._never.wait(seconds)

    def processor_seconds(self) -> float:
        """Return user and system time of all threads."""
        return time.process_time()
