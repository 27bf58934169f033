"""The queue of commands: which run may start now, its place in line, and when it is expected to start.

A queue is first in, first out. Its head waits for its lock, and nothing of the same queue overtakes it.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from slack_alert.core.structs import Struct, replace

#: Number of runs of one queue at once, unless configured.
LIMIT = 1


class QueuedRun(Struct, frozen=True):
    """A command that waits for its turn, or runs."""

    #: Its number, which people type.
    run: int
    #: The full name of the command.
    command: str
    #: The line as typed, for people.
    words: str
    #: Who asked: the key of the identity, and the name for people.
    by: str
    name: str
    #: None: it waits for its lock only.
    queue: str | None
    #: What it excludes other runs from, parameters filled in; empty: nothing.
    lock: str
    #: The order of a queue. Runs that were asked for at the same instant are in the order of their numbers.
    asked: datetime
    #: It is not in line before this.
    not_before: datetime | None = None
    #: None: it has not started.
    started: datetime | None = None
    #: The line as one types it again, where that is another one: secrets have to be filled in.
    again: str = ""

    def is_in_line(self, now: datetime) -> bool:
        """Return whether it waits in its queue; a later run joins when its time comes."""
        return self.not_before is None or self.not_before <= now


class QueueState(Struct, frozen=True):
    """All runs that were accepted and have not ended."""

    running: tuple[QueuedRun, ...] = ()
    #: In the order in which they join their queues.
    waiting: tuple[QueuedRun, ...] = ()

    def find(self, run: int) -> QueuedRun | None:
        """Return the run with a number, or None if it has ended or there was none."""
        return next((each for each in (*self.running, *self.waiting) if each.run == run), None)

    def add(self, run: QueuedRun) -> QueueState:
        """Return the state with an accepted run; one that has started already runs."""
        assert self.find(run.run) is None, "a run is accepted once"
        if run.started is not None:
            return replace(self, running=(*self.running, run))
        return replace(self, waiting=tuple(sorted((*self.waiting, run), key=_rank)))

    def start(self, run: int, now: datetime) -> QueueState:
        """Return the state after a waiting run started."""
        [started] = [each for each in self.waiting if each.run == run]
        waiting = tuple(each for each in self.waiting if each.run != run)
        return QueueState((*self.running, replace(started, started=now)), waiting)

    def remove(self, run: int) -> QueueState:
        """Return the state without a run, however it ended: done, failed, canceled, interrupted, expired."""
        return QueueState(
            tuple(each for each in self.running if each.run != run),
            tuple(each for each in self.waiting if each.run != run),
        )


def startable(
    running: Iterable[QueuedRun], waiting: Iterable[QueuedRun], limits: Mapping[str, int], now: datetime
) -> list[QueuedRun]:
    """Return the runs to start now, together, in the order in which they were asked for.

    Each of them respects limits and locks with all the others started. Between queues, a lock goes to who asked first.
    """
    return _Line(running, (run for run in waiting if run.is_in_line(now)), limits).start_all()


def rank(asked: datetime, not_before: datetime | None, run: int) -> tuple[datetime, bool, int]:
    """Return the order in line: a later run joins behind those who wait at that moment."""
    if not_before is None or not_before <= asked:
        return (asked, False, run)
    return (not_before, True, run)


def positions(waiting: Iterable[QueuedRun], now: datetime) -> dict[int, int]:
    """Return the place in line of each run: 1 is the next of its queue; later runs have none yet.

    Without a queue it is the place among all who wait for the same lock.
    """
    places: dict[int, int] = {}
    queued: Counter[str] = Counter()
    locked: Counter[str] = Counter()
    for run in sorted((run for run in waiting if run.is_in_line(now)), key=_rank):
        if run.queue is not None:
            queued[run.queue] += 1
        if run.lock:
            locked[run.lock] += 1
        places[run.run] = queued[run.queue] if run.queue is not None else max(locked[run.lock], 1)
    return places


def expected_starts(
    running: Sequence[QueuedRun],
    waiting: Sequence[QueuedRun],
    limits: Mapping[str, int],
    usual: Callable[[str], timedelta | None],
    now: datetime,
) -> dict[int, datetime | None]:
    """Return when each waiting run will start if every run takes its usual time; None if that is not known.

    `usual` is asked for the usual duration of a command. A run that takes longer than usual is expected to end now.
    """
    starts: dict[int, datetime | None] = dict.fromkeys(run.run for run in waiting)
    line = _Line(running, (run for run in waiting if run.is_in_line(now)), limits)
    later = deque(sorted(_later(waiting, now)))
    ends: list[_Moment] = []
    for run in running:
        _expect_end(ends, run, run.started or now, usual, now)
    at = now
    while True:
        for run in line.start_all():
            starts[run.run] = at
            _expect_end(ends, run, at, usual, at)
        if not (ends or later):
            return starts
        at = min(moments[0].at for moments in (ends, later) if moments)
        while ends and ends[0].at <= at:
            line.end(heappop(ends).run)
        while later and later[0].at <= at:
            line.join(later.popleft().run)


def next_time(waiting: Iterable[QueuedRun], now: datetime) -> datetime | None:
    """Return the next instant at which a later run joins its queue, or None."""
    return min((moment.at for moment in _later(waiting, now)), default=None)


def _rank(run: QueuedRun) -> tuple[datetime, bool, int]:
    return rank(run.asked, run.not_before, run.run)


class _Moment(NamedTuple):
    """When something becomes of a run."""

    at: datetime
    number: int
    run: QueuedRun


def _later(waiting: Iterable[QueuedRun], now: datetime) -> Iterator[_Moment]:
    """Yield the runs that are not in line yet, with the instants at which they will be."""
    for run in waiting:
        if run.not_before is not None and not run.is_in_line(now):
            yield _Moment(run.not_before, run.run, run)


def _expect_end(
    ends: list[_Moment],
    run: QueuedRun,
    started: datetime,
    usual: Callable[[str], timedelta | None],
    now: datetime,
) -> None:
    length = usual(run.command)
    if length is None:
        return
    try:
        heappush(ends, _Moment(max(started + length, now), run.run, run))
    except OverflowError:
        return  # Beyond the calendar: nobody can be told a time.


class _Line:
    """The queues, and what is taken: it looks at the heads of queues alone, so that long ones cost nothing.

    Runs without a queue stand in a line of their own for each lock.
    """

    def __init__(self, running: Iterable[QueuedRun], waiting: Iterable[QueuedRun], limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._busy: Counter[str | None] = Counter()
        self._held: Counter[str] = Counter()
        self._queues: dict[tuple[str | None, str], deque[QueuedRun]] = {}
        for run in running:
            self._take(run)
        for run in waiting:
            self.join(run)

    def join(self, run: QueuedRun) -> None:
        """Add a run to its queue."""
        key = (run.queue, "" if run.queue is not None else run.lock)
        insort(self._queues.setdefault(key, deque()), run, key=_rank)

    def end(self, run: QueuedRun) -> None:
        """Release what a run held."""
        self._busy[run.queue] -= 1
        if run.lock:
            self._held[run.lock] -= 1

    def start_all(self) -> list[QueuedRun]:
        """Start and return every run that can start now."""
        return list(self._started())

    def _started(self) -> Iterator[QueuedRun]:
        # Starting a run only takes things away: a head that cannot start now cannot later in this pass.
        heads = [(_rank(queue[0]), queue) for queue in self._queues.values() if queue]
        heapify(heads)
        while heads:
            _, queue = heappop(heads)
            if not self._is_free(queue[0]):
                continue
            run = queue.popleft()
            self._take(run)
            yield run
            if queue:
                heappush(heads, (_rank(queue[0]), queue))

    def _is_free(self, run: QueuedRun) -> bool:
        if run.lock and self._held[run.lock]:
            return False
        return run.queue is None or self._busy[run.queue] < self._limits.get(run.queue, LIMIT)

    def _take(self, run: QueuedRun) -> None:
        self._busy[run.queue] += 1
        if run.lock:
            self._held[run.lock] += 1
