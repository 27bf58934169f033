"""Execute plugin files one after another beside whoever waits; a file that takes long keeps nobody from the others."""

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

#: Where one is slow already, each further one holds up the rest for this part of the time only.
_SLOW_TOO = 0.2
#: Between two looks at what is going on.
_LOOK = 0.1


class ThreadCarrier:
    """Executes files on threads of the operating system: whatever one does, the others go on."""

    def current(self) -> object:
        """Return what `interrupt` needs to find the caller."""
        return threading.get_ident()

    def carry(self, call: Callable[[], T]) -> T:
        """Call it."""
        return call()

    def interrupt(self, carried: object) -> None:
        """Raise GivenUpError there as soon as it executes Python again; a thread that waits for something goes on."""
        import ctypes  # a megabyte, for what hardly ever happens

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(carried), ctypes.py_object(GivenUpError))  # type: ignore[arg-type]  # it is an identifier


class LoadOptions(Struct, frozen=True):
    """How files are executed."""

    #: A file that is still loading then is given up.
    timeout: timedelta = timedelta(seconds=30)
    carrier: Carrier = ThreadCarrier()
    #: After so long a file is named in the log, and the others go on without it.
    slow: timedelta = timedelta(seconds=5)
    #: The scheduler that the program runs on, as a user names it.
    scheduler: str = "AsyncIOScheduler"


class _Lane(Struct):
    """A file that is being executed."""

    index: int
    began: float
    carried: object
    thread: threading.Thread
    is_named: bool = False
    #: Whether others go on without it.
    is_left: bool = False


class BackgroundLoading(Generic[T]):
    """The execution of some files in their order, by `call` with the index of each; GivenUpError stands for one.

    Used by one thread, which calls `run` and then `look` as long as something goes on.
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
        """Execute all files; return earlier where only slow ones are left, if what there is by then is enough."""
        try:
            self._start()
            with self._changed:
                while not (self.is_over or (self._is_left() and is_enough())):
                    self._changed.wait(_LOOK)
                    self._look()
        except BaseException:  # Ctrl+C
            self._abandon()
            raise
        for thread in self._interrupted:  # What it leaves in the import system is cleared up when it is over.
            thread.join(_LOOK)

    def give_up_late(self) -> None:
        """Name and give up those whose time has come."""
        with self._changed:
            self._look()

    def drain(self) -> dict[int, T | GivenUpError]:
        """Return what came of the files that have ended since this was asked last."""
        with self._changed:
            ended, self._ended = self._ended, {}
            return dict(sorted(ended.items()))

    @property
    def is_over(self) -> bool:
        """Whether every file has ended, or was given up."""
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
        """Let another thread go on with the files after it."""
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
        """Execute nothing more."""
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
        except GivenUpError:  # The file itself has caught it, or had just ended.
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
        """Keep what came of a file, unless it was given up; return whether this thread goes on with the next one."""
        with self._changed:
            if self._lanes.pop(lane.index, None) is not None:
                self._ended[lane.index] = result
            if self.is_over or lane.is_left:
                self._changed.notify_all()
            return not lane.is_left
