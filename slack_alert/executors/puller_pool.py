"""Run a queue of runs on threads, the pullers; no run waits while there is room for another puller.

Two rules ensure that, in whatever order runs come:

- A puller that takes a run known to be slow first wakes or starts the next puller, if more runs wait.
- While runs wait, a watch checks every few milliseconds. If nothing moves, it adds pullers, twice as many each time.

Quick runs need neither: one puller takes them one after the other.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.model.run import Run
from slack_alert.engine.ports import RunHost
from slack_alert.executors.threads import SystemThreads, Threads

log = logging.getLogger(__name__)

#: Seconds between two checks of the watch.
_STANDSTILL = 0.005
#: The fraction of the time between two checks that must be processor time, or the running functions only wait.
_COMPUTING = 0.25
#: Seconds until the next check after a thread could not be started.
_NO_THREAD = 1.0
#: A function that took longer is slow: its next run does not delay the queue.
_SLOW = timedelta(seconds=0.05)
#: Seconds after which an idle puller ends.
_IDLE = 30.0


#: Calls and reports a run; returns its duration, or None if it was given up and reported meanwhile.
PullerWork = Callable[[Run, RunHost], timedelta | None]


class PullerPool:
    """Runs a queue on at most `room()` pullers; `room` may grow and shrink."""

    def __init__(self, work: PullerWork, *, room: Callable[[], int], threads: Threads | None = None) -> None:
        self._work = work
        self._room = room
        self._threads = threads or SystemThreads()
        self._queue: deque[tuple[Run, RunHost]] = deque()
        self._changed = self._threads.condition()
        self.pullers = 0
        self._idle = 0
        #: The number of pullers in a run that was known to be slow when they took it.
        self._engaged = 0
        self._taken = 0
        self.is_watched = False
        self._is_stopped = False
        self._slow: set[str] = set()

    @property
    def queued(self) -> int:
        """The number of runs that wait for a puller."""
        return len(self._queue)

    @property
    def busy(self) -> int:
        """The number of pullers that are not idle."""
        return self.pullers - self._idle

    def submit(self, runs: Iterable[tuple[Run, RunHost]]) -> None:
        """Queue the runs; never block."""
        with self._changed:
            self._queue.extend(runs)
            if self._idle or self.pullers == self._engaged:
                self._add(1)
                if len(self._queue) > 1:
                    self._begin_watch()
            else:
                # Each puller is in a run that should be short; the watch notices if it is not.
                self._begin_watch()

    def add(self) -> None:
        """Wake or start another puller, because one is stuck."""
        with self._changed:
            if self._queue:
                self._add(1)

    def stop(self) -> None:
        """Take no further run; queued and running ones may end."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _add(self, count: int) -> bool:
        """Wake idle pullers and start others, as far as there is room; return False if a thread cannot be started."""
        woken = min(count, self._idle)
        self._changed.notify(woken)
        for _ in range(min(count - woken, self._room() - self.pullers)):
            if not self._start(self._pull, f"puller-{self.pullers + 1}"):
                return False
            self.pullers += 1
        return True

    def _begin_watch(self) -> None:
        if not self.is_watched:
            self.is_watched = self._start(self._watch, "watch")

    def _start(self, target: Callable[[], None], name: str) -> bool:
        try:
            self._threads.start(target, name)
        except RuntimeError as error:  # The system allows no further thread; the queue goes on waiting.
            log.error("no thread to be had", extra={"puller": name, "reason": machine_lack(error) or str(error)})  # noqa: TRY400 - the reason is in the record
            return False
        return True

    def _pull(self) -> None:
        while True:
            try:
                run, host = self._queue.popleft()
            except IndexError:
                if not self._wait():
                    return
                continue
            # Progress for the watch; a lost increment does no harm.
            self._taken += 1
            took = self._work(run, host) if run.binding not in self._slow else self._work_engaged(run, host)
            if took is None:
                if self._is_surplus():
                    return
            elif took > _SLOW:
                self._slow.add(run.binding)
            elif self._slow:
                self._slow.discard(run.binding)

    def _work_engaged(self, run: Run, host: RunHost) -> timedelta | None:
        with self._changed:
            self._engaged += 1
            if self._queue:
                self._add(1)
        try:
            return self._work(run, host)
        finally:
            with self._changed:
                self._engaged -= 1

    def _is_surplus(self) -> bool:
        """Return whether a puller that was stuck may end, because another one replaced it; uncount it if so."""
        with self._changed:
            is_surplus = self.pullers > self._room()
            self.pullers -= is_surplus
        return is_surplus

    def _wait(self) -> bool:
        """Wait for a run; return False if this puller may end."""
        with self._changed:
            is_wanted = True
            while not self._queue:
                if self._is_stopped or not is_wanted:
                    self.pullers -= 1
                    return False
                self._idle += 1
                is_wanted = self._changed.wait(_IDLE)
                self._idle -= 1
        return True

    def _watch(self) -> None:
        """Add pullers while runs wait and nothing moves: one, then two, four, and so on."""
        added, seconds = 0, _STANDSTILL
        while True:
            taken, computed = self._taken, self._threads.processor_seconds()
            self._threads.sleep(seconds)
            is_waiting = self._threads.processor_seconds() - computed < _COMPUTING * seconds
            with self._changed:
                # If all pullers there may be are in a run, the first that is done takes the next.
                if not self._queue or (not self._idle and self.pullers >= self._room()):
                    self.is_watched = False
                    return
                # The pullers added at the last check took a run each; if that was all, nothing moved.
                is_standing = is_waiting or self._taken - taken <= added
                added = max(1, 2 * added) if is_standing else 0
                seconds = _STANDSTILL if self._add(min(added, len(self._queue))) else _NO_THREAD
