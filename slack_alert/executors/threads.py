"""Define the threads that the puller pool needs; tests replace them by threads on a virtual clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Threads(Protocol):
    """Threads, or greenlets under gevent, whose patch is transparent here."""

    def start(self, target: Callable[[], None], name: str) -> None:
        """Start a thread that does not keep the process alive; raise RuntimeError if the system allows no more."""

    def condition(self) -> threading.Condition:
        """Return a new condition."""

    def sleep(self, seconds: float) -> None:
        """Let other threads run for this many seconds."""

    def processor_seconds(self) -> float:
        """Return the processor time this process has used."""


class SystemThreads:
    """The threads of the standard library."""

    def __init__(self) -> None:
        #: Never set. Waiting for it is a sleep that a plugin cannot replace by patching `time.sleep`.
        self._never = threading.Event()

    def start(self, target: Callable[[], None], name: str) -> None:
        """Start a daemon thread."""
        threading.Thread(target=target, name=name, daemon=True).start()

    def condition(self) -> threading.Condition:
        """Return a condition with a lock of its own."""
        return threading.Condition(threading.Lock())

    def sleep(self, seconds: float) -> None:
        """Wait for an event that is never set."""
        self._never.wait(seconds)

    def processor_seconds(self) -> float:
        """Return user and system time of all threads."""
        return time.process_time()
