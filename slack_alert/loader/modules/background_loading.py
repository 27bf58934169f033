"""Execute plugin files in their order on threads; a slow file does not delay the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from slack_alert.core.errors import GivenUpError
from slack_alert.core.structs import Struct
from slack_alert.core.units.quantities import format_duration
from slack_alert.engine.ports import Carrier
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.guard.event_loop import event_loop

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Once a file was slow, a further one delays the rest for this fraction of the time only.
_SLOW_TOO = 0.2
#: Seconds between two checks of the running files.
_LOOK = 0.1


class ThreadCarrier:
    """Executes files on threads of the operating system: whatever a thread does, the others go on."""

    def current(self) -> object:
        """Return the identifier of the caller, for `interrupt`."""
        return threading.get_ident()

    def carry(self, call: Callable[[], T]) -> T:
        """Call the function."""
        return call()

    def interrupt(self, carried: object) -> None:
        """Raise GivenUpError in a thread as soon as it executes Python again; a blocked thread goes on."""
        import ctypes  # It takes a megabyte, and is hardly ever needed.

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(carried), ctypes.py_object(GivenUpError))  # type: ignore[arg-type]  # it is an identifier


class LoadOptions(Struct, frozen=True):
    """How plugin files are executed."""

    #: The time after which a file that is still loading is given up.
    timeout: timedelta = timedelta(seconds=30)
    carrier: Carrier = ThreadCarrier()
    #: The time after which a file is logged as slow, and the others go on without it.
    slow: timedelta = timedelta(seconds=5)
    #: The scheduler that the program runs on, as named in the settings.
    scheduler: str = "AsyncIOScheduler"


class _Lane(Struct):
    """A file that is being executed."""

    index: int
    began: float
    carried: object
    thread: threading.Thread
    is_named: bool = False
    #: Whether the following files go on without it.
    is_left: bool = False


class BackgroundLoading(Generic[T]):
    """Executes files in their order by `call` with their index; the result is GivenUpError for a file given up.

    Used by one thread, which calls `run` and then `give_up_late` and `drain` until `is_over`.
    """

    def __init__(self, files: Sequence[PluginFile], call: Callable[[int], T], options: LoadOptions) -> None:
        self._files = files
        self._call = call
        self._carrier = options.carrier
        self._limit = options.timeout
        self._slow = options.slow.total_seconds()
        self._next = 0
        self._lanes: dict[int, _Lane] = {}
        self._ended: dict[int, T | GivenUpError] = {}
        self._is_slow = False
        self._interrupted: list[threading.Thread] = []
        self._changed = threading.Condition()

    def run(self, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Execute all files; return earlier if only slow files are left and `is_enough` says so."""
        try:
            self._start()
            with self._changed:
                while not (self.is_over or (self._is_left() and is_enough())):
                    self._changed.wait(_LOOK)
                    self._look()
        except BaseException:  # Ctrl+C
            self._abandon()
            raise
        for thread in self._interrupted:  # What it leaves in the import system can be removed once it has ended.
            thread.join(_LOOK)

    def give_up_late(self) -> None:
        """Log files that are slow, and give up those that exceed the timeout."""
        with self._changed:
            self._look()

    def drain(self) -> dict[int, T | GivenUpError]:
        """Return the results of the files that have ended since the last call, by index."""
        with self._changed:
            ended, self._ended = self._ended, {}
            return dict(sorted(ended.items()))

    @property
    def is_over(self) -> bool:
        """Whether every file has ended or was given up."""
        return self._next >= len(self._files) and not self._lanes

    def _is_left(self) -> bool:
        return self._next >= len(self._files) and all(lane.is_left for lane in self._lanes.values())

    def _start(self) -> None:
        threading.Thread(target=self._go, name="loading", daemon=True).start()

    def _look(self) -> None:
        now = monotonic()
        for lane in list(self._lanes.values()):
            passed = now - lane.began
            if passed >= self._limit.total_seconds():
                self._give_up(lane)
            elif passed >= self._slow and not lane.is_named:
                self._name(lane)
            if not lane.is_left and passed >= self._slow * (_SLOW_TOO if self._is_slow else 1):
                self._leave(lane)

    def _name(self, lane: _Lane) -> None:
        lane.is_named = True
        shown, limit = self._files[lane.index].shown, format_duration(self._limit)
        log.warning("a plugin file is still loading", extra={"file": shown, "given_up_after": limit})

    def _leave(self, lane: _Lane) -> None:
        """Let another thread go on with the following files."""
        self._is_slow = lane.is_left = True
        if self._next < len(self._files):
            self._start()

    def _give_up(self, lane: _Lane) -> None:
        if not lane.is_left:
            self._leave(lane)
        del self._lanes[lane.index]
        self._ended[lane.index] = GivenUpError(f"still loading after {format_duration(self._limit)}: given up")
        self._carrier.interrupt(lane.carried)
        self._interrupted.append(lane.thread)

    def _abandon(self) -> None:
        """Start no further file, and give up those that are loading."""
        with self._changed:
            self._next = len(self._files)
            for lane in list(self._lanes.values()):
                self._give_up(lane)

    def _go(self) -> None:
        try:
            with event_loop() as renew:
                while (lane := self._begin()) is not None:
                    result = self._carrier.carry(partial(self._call, lane.index))
                    renew()
                    if not self._end(lane, result):
                        return
        except GivenUpError:  # The file was past the point where it could be interrupted.
            return

    def _begin(self) -> _Lane | None:
        with self._changed:
            if self._next >= len(self._files):
                self._changed.notify_all()
                return None
            lane = _Lane(self._next, monotonic(), self._carrier.current(), threading.current_thread())
            self._lanes[lane.index] = lane
            self._next += 1
            return lane

    def _end(self, lane: _Lane, result: T) -> bool:
        """Store the result of a file, unless it was given up; return whether this thread takes the next file."""
        with self._changed:
            if self._lanes.pop(lane.index, None) is not None:
                self._ended[lane.index] = result
            if self.is_over or lane.is_left:
                self._changed.notify_all()
            return not lane.is_left
