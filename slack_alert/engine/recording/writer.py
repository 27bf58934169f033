"""The single writer to the store: batches in groups at once, progress with the next, quiet rows twice a second."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.record import Record
from slack_alert.engine.batches import Batch, HistoryLimits
from slack_alert.engine.durable_values import number_entry
from slack_alert.engine.ports import Clock, Journal, Store

log = logging.getLogger(__name__)

Then = Callable[[], object]
Accept = Callable[[list[Delivery]], None]
_Put = tuple[Batch, Then | None]

#: Signals in the queue: quiet rows are waiting, progress is waiting, and the end.
_WAKE: _Put = (Batch(), None)
_PROGRESS: _Put = (Batch(), None)
_END: _Put = (Batch(), None)
_SIGNALS = (_WAKE, _PROGRESS, _END)
#: A batch of which nothing is written.
_NOTHING = Batch()

#: How long a quiet line waits at most to be written.
QUIET_LATENCY = timedelta(seconds=0.5)
#: Batches joined into one transaction at most; larger groups gain nothing.
_GROUP = 256
#: Waiting quiet lines beyond which slots are delayed: a bound on memory, and on what is left to write at the end.
BACKLOG = 150_000
#: So many quiet lines are written without waiting for more.
_MANY_QUIET = 20_000
#: A commit that takes longer, in seconds, counts as stuck.
_LONG = 20.0
#: Seconds within which most queued runs have left a line.
_SOON = 2.0


class Writer:
    """A recorder that writes on a single thread (under gevent: a greenlet).

    `blocking` calls the store; under gevent it uses the native thread pool, so that a disk never blocks the hub.
    `numbered` is the last number that the store has.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        journal: Journal | None = None,
        numbered: int = 0,
        blocking: Callable[..., Any] | None = None,
        retry: float = 1.0,
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._blocking = blocking or (lambda call, *arguments: call(*arguments))
        self._retry = retry
        #: The number of the last numbered batch, and the lock under which batches get theirs.
        self._numbered = numbered
        self._order = threading.Lock()
        self._puts: queue.SimpleQueue[_Put] = queue.SimpleQueue()
        #: Progress of deliveries is written before all waiting batches: none of those concerns the same deliveries.
        self._progress: deque[_Put] = deque()
        self._quiet: deque[Record] = deque()
        #: How many quiet lines are being written.
        self._under_way = 0
        self._is_woken = False
        self._accept: Accept = _ignore
        #: Returns how many lines are about to come, and until when (monotonic) that counts.
        self._expected: Callable[[], int] = lambda: 0
        self._expected_until = 0.0
        self._never = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        #: When the commit in progress began, in monotonic seconds.
        self._attempted: float | None = None
        #: Why the last commit failed; None: it did not.
        self.trouble: str | None = None

    def start(self, accept: Accept) -> None:
        """Begin to write; `accept` is called with the deliveries of every commit."""
        self._accept = accept
        self._thread.start()

    def submit(self, batch: Batch, then: Then | None = None) -> None:
        """Commit a batch soon, progress first and otherwise in order; `then` is called on the writer's thread."""
        if batch.progress:
            self._progress.append((batch, then))
            self._puts.put(_PROGRESS)
            return
        if self._journal is None or not batch.is_numbered:
            self._keep(batch)
            self._puts.put((batch, then))
            return
        with self._order:  # Batches are journaled and committed in the order of their numbers.
            self._numbered += 1
            batch.entries = [*batch.entries, number_entry(self._numbered)]
            self._keep(batch)
            self._puts.put((batch, then))

    def _keep(self, batch: Batch) -> None:
        # On a full disk, writing to a memory-mapped file may kill the process.
        if self._journal is not None and self.trouble is None and not batch.is_kept and _needs_journal(batch):
            batch.at = batch.at or self._clock.now()
            batch.is_kept = self._journal.append(batch)

    @property
    def is_stuck(self) -> bool:
        """Whether the commit in progress takes longer than any should, or the writer's thread has ended."""
        began = self._attempted
        is_over = self._thread.ident is not None and not self._thread.is_alive()
        return is_over or (began is not None and self._clock.monotonic() - began > _LONG)

    def is_behind(self) -> bool:
        """Return whether too much waits to be written, so that slots that come due now would only add to it."""
        coming = self._expected() if self._clock.monotonic() < self._expected_until else 0
        return len(self._quiet) + self._under_way + coming > BACKLOG

    def expect(self, coming: Callable[[], int]) -> None:
        """Count the lines of runs that wait to begin for a moment; no longer, because their queue may be stuck."""
        self._expected = coming
        self._expected_until = self._clock.monotonic() + _SOON

    def record_quiet(self, record: Record) -> None:
        """Write a quiet line of history within a second."""
        self._quiet.append(record)
        if not self._is_woken:
            self._is_woken = True
            self._puts.put(_WAKE)

    def stop(self, timeout: float) -> bool:
        """Write all that was submitted; return whether that was done in time."""
        self._puts.put(_END)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _write(self) -> None:
        group = self._gather(self._puts.get())
        while self._write_group(group):
            group = self._next()

    def _write_group(self, group: list[_Put]) -> bool:
        """Commit a group with the waiting progress and quiet lines; return whether more is to come."""
        self._is_woken = False
        # After the group was gathered: quiet lines recorded before a batch are committed with it, or earlier.
        quiet = _taken(self._quiet)
        self._under_way = len(quiet)
        self._commit([*_taken(self._progress), *(put for put in group if not _is_signal(put))], quiet)
        self._under_way = 0
        is_end = any(put is _END for put in group)
        if is_end and self._journal is not None:
            self._journal.close()
        return not is_end

    def _next(self) -> list[_Put]:
        """Wait for the next group; quiet lines wait a little for more."""
        first = self._puts.get()
        if first is not _WAKE or len(self._quiet) > _MANY_QUIET:
            return self._gather(first)
        try:
            return self._gather(self._puts.get(timeout=QUIET_LATENCY.total_seconds()))
        except queue.Empty:
            return []

    def _gather(self, first: _Put) -> list[_Put]:
        group = [first]
        with suppress(queue.Empty):
            while len(group) < _GROUP and group[-1] is not _END:
                group.append(self._puts.get_nowait())
        return group

    def _commit(self, group: list[_Put], quiet: list[Record]) -> None:
        if not (group or quiet):
            return
        batches = [batch for batch, _ in group if batch != _NOTHING]
        if not (batches or quiet):  # Only calls to be made in the order of commits.
            self._conclude(group, Batch(), [])
            return
        try:
            batch = self._joined(batches, quiet)
            deliveries = self._commit_until_done(batch)
        except Exception:
            if len(group) + len(quiet) > 1:
                self._commit_separately(group, quiet)
                return
            log.exception("left out what cannot be written")
            batch, deliveries = Batch(), []
        self._conclude(group, batch, deliveries)

    def _commit_separately(self, group: list[_Put], quiet: list[Record]) -> None:
        """Commit in smaller groups to isolate what cannot be written: a bug in it must not block the rest."""
        if group and quiet:  # Quiet lines first: a batch may imply that all earlier slots are recorded.
            self._commit([], quiet)
            self._commit(group, [])
            return
        for put in group:
            self._commit([put], [])
        # By halves, because a group may hold thousands of quiet lines.
        middle = len(quiet) // 2
        self._commit([], quiet[:middle])
        self._commit([], quiet[middle:])

    def _conclude(self, group: list[_Put], batch: Batch, deliveries: list[Delivery]) -> None:
        if self._journal is not None:
            self._journal.release(sum(batch.is_kept for batch, _ in group))
        for _, then in group:
            if then is not None:
                _follow_up(then, "follow-up failed")
        if deliveries:
            _follow_up(partial(self._accept, deliveries), "hand-over failed")
        if batch.limits is not None:
            _follow_up(partial(self._prune, batch.limits), "prune failed")

    def _prune(self, limits: HistoryLimits) -> None:
        self._blocking(self._store.prune, self._clock.now(), limits)

    def _commit_until_done(self, batch: Batch) -> list[Delivery]:
        """Commit, retrying for as long as the disk is full or locked: messages must not be dropped."""
        while (deliveries := self._attempt(batch)) is None:
            self._never.wait(self._retry)
        return deliveries

    def _attempt(self, batch: Batch) -> list[Delivery] | None:
        self._attempted = self._clock.monotonic()
        try:
            deliveries: list[Delivery] = self._blocking(self._store.commit, batch)
        except (StoreError, OSError) as error:  # An OSError is about the machine, and never about what is written.
            if self.trouble is None:
                log.error("commit failed", extra={"reason": str(error)})  # noqa: TRY400 - the reason says it all
            self.trouble = str(error)
            return None
        finally:
            self._attempted = None
        if self.trouble is not None:
            log.info("commit works again")
        self.trouble = None
        return deliveries

    def _joined(self, batches: list[Batch], quiet: list[Record]) -> Batch:
        joined = Batch(at=self._clock.now(), records=list(quiet))
        for batch in batches:
            join(joined, batch)
        if quiet and len(joined.records) > len(quiet):
            # Some quiet lines may be newer than a batch that waited.
            joined.records.sort(key=_SLOT)
        return joined


_SLOT = attrgetter("slot")
Item = TypeVar("Item")


def _taken(items: deque[Item]) -> list[Item]:
    """Remove and return the present items; more may be added meanwhile."""
    return [items.popleft() for _ in range(len(items))]


def _needs_journal(batch: Batch) -> bool:
    """Return whether a batch has to be journaled; not where the next start makes it again."""
    is_redone = batch.taken is not None or batch.is_repeatable
    return bool(batch.messages or batch.is_numbered) and not is_redone


def _is_signal(put: _Put) -> bool:
    return any(put is signal for signal in _SIGNALS)


def join(into: Batch, batch: Batch) -> None:
    """Merge a later batch into an earlier one; later values win."""
    into.states.update(batch.states)
    into.seen.update(batch.seen)
    into.holds.update(batch.holds)
    into.records.extend(batch.records)
    into.messages.extend(batch.messages)
    into.summaries.extend(batch.summaries)
    into.progress.extend(batch.progress)
    into.entries.extend(batch.entries)
    into.dropped.extend(batch.dropped)
    into.retried.extend(batch.retried)
    into.running = into.running if batch.running is None else batch.running
    into.begun.extend(batch.begun)
    into.ended.extend(batch.ended)
    into.returned.extend(batch.returned)
    into.unaccounted.extend(batch.unaccounted)
    into.accounted.extend(batch.accounted)
    into.accepted.extend(batch.accepted)
    into.answered.extend(batch.answered)
    into.unmatched.extend(batch.unmatched)
    into.asked.extend(batch.asked)
    into.settled.extend(batch.settled)
    into.inbound.extend(batch.inbound)
    into.audit.extend(batch.audit)
    into.pulse = into.pulse if batch.pulse is None else batch.pulse
    into.limits = into.limits or batch.limits
    into.taken = into.taken if batch.taken is None else max(batch.taken, into.taken or 0)


def _follow_up(then: Then, trouble: str) -> None:
    """Call what follows a commit, and log its errors: the writer has to go on."""
    try:
        then()
    except (StoreError, RuntimeError) as error:  # A closed event loop raises RuntimeError.
        log.warning(trouble, extra={"reason": str(error)})
    except Exception:
        log.exception(trouble)


def _ignore(_: list[Delivery]) -> None:
    """Do nothing, where there is no sender yet."""


class DirectRecorder:
    """A recorder that writes at once, on the caller's thread: for simulations and short commands."""

    def __init__(self, store: Store, clock: Clock, accept: Accept = _ignore) -> None:
        self._store = store
        self._clock = clock
        self._accept = accept

    def submit(self, batch: Batch, then: Then | None = None) -> None:
        """Commit a batch now."""
        batch.at = batch.at or self._clock.now()
        deliveries = self._store.commit(batch)
        if then is not None:
            then()
        self._accept(deliveries)

    def record_quiet(self, record: Record) -> None:
        """Commit a record now."""
        self.submit(Batch(records=[record]))
