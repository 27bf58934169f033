"""What the engine asks of the world: a clock, sources, executors, channels, a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from slack_alert.core.catalog import CatalogChange
from slack_alert.core.model.message import Delivery, PostedDelivery
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Result, Returned, Run
from slack_alert.core.retry import SendResult
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import Batch, HistoryLimits, HistoryLine, Snapshot

T = TypeVar("T")


class Carrier(Protocol):
    """What plugin files are executed on beside the rest of the program: threads, or gevent's greenlets."""

    def current(self) -> object:
        """Return what `interrupt` needs to find the caller."""

    def carry(self, call: Callable[[], T]) -> T:
        """Call it so that the rest of the program goes on meanwhile."""

    def interrupt(self, carried: object) -> None:
        """Raise GivenUpError there, where that is possible."""


class Clock(Protocol):
    """The time, and the waiting for it."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for pacing."""

    async def sleep(self, seconds: float) -> None:
        """Let other things happen meanwhile."""


#: Jobs that share their slots, and these, oldest first: all of them, or the first, the last but one and the last.
Due = tuple[Sequence[str], Sequence[datetime]]
Emit = Callable[[Sequence[Due]], None]


class Source(Protocol):
    """Where slots come from."""

    def start(self, emit: Emit) -> None:
        """Begin calling `emit` with all that is due at once, from any one thread or greenlet."""

    def stop(self) -> None:
        """Emit nothing more."""


class ExecutorLoad(Struct, frozen=True):
    """How full an executor is."""

    #: Threads that call a function, and how many may.
    busy: int = 0
    threads: int = 0
    #: Functions that were given up and still go on.
    stuck: int = 0
    #: Runs that wait for a thread.
    waiting: int = 0


class ChangeWatch(Protocol):
    """Who notices that plugin files change."""

    def start(self) -> None:
        """Begin to watch; what changed before may go unnoticed."""

    def has_changed(self, passed: float) -> bool:
        """Return whether something may have changed since this was asked last; `passed` are seconds by any clock."""

    def stop(self) -> None:
        """Watch no more."""


#: Looks at the plugin files and takes up what changed, given seconds by a clock that is never set; None: nothing did.
Reload = Callable[[float], CatalogChange | None]


class Executor(Protocol):
    """Who calls the functions."""

    def submit(self, runs: Sequence[Run], done: Callable[[Run, Result], None]) -> None:
        """Call each run's action once and report exactly one result each, exceptions included; never block."""

    def stop(self) -> None:
        """Take no further run; what is going on may end."""


class Channel(Protocol):
    """A service that takes messages to people."""

    name: str

    async def open(self) -> None:
        """Get ready; must not fail because the service is away."""

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Attempt one delivery; `text` replaces the text of a Text piece. Never raise for what a service answers."""

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:
        """Look which of these (one address) were accepted: delivery id to receipt.

        None: it cannot be told, now or later. Raise NotNow where asking again may help.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Store(Protocol):
    """The one writer's side of what is remembered."""

    def open(self) -> Snapshot:
        """Bring the schema up to date and read what is remembered."""

    def commit(self, batch: Batch) -> list[Delivery]:
        """Write all of the batch or nothing; return the deliveries its messages and retries became, in order."""

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        """Fold and forget history beyond the limits; deliveries that are not queued go with their age."""

    def close(self) -> None:
        """Let go of the files."""


class Journal(Protocol):
    """Where what is said outlives the process before it is committed."""

    def append(self, said: Batch | Returned) -> bool:
        """Keep it at once, from any thread; False: that cannot be."""

    def release(self, count: int) -> None:
        """Forget so many of those that were kept: they are committed."""

    def close(self) -> None:
        """Let go of the files."""


class Reader(Protocol):
    """The side of the store that anybody may read at any time."""

    def history(self, *, job: str | None, since: datetime | None, limit: int | None) -> Iterator[HistoryLine]:
        """Return the newest `limit` lines, oldest first."""

    def deliveries(self) -> Iterator[Delivery]:
        """Return the whole outbox, oldest first."""

    def posted(self, run: int) -> list[PostedDelivery]:
        """Return the deliveries of one run, and how far they are."""

    def snapshot(self) -> Snapshot:
        """Return what a run would begin with."""

    def waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        """Return queued deliveries with ids above `after`, oldest first; of one address, or of all."""

    def last_receipt(self, address: str) -> str | None:
        """Return the receipt of the last message that was accepted there."""

    def receipt(self, key: str) -> str | None:
        """Return the receipt of one message, where it was accepted."""

    def close(self) -> None:
        """Let go of the files."""


class Request(Struct, frozen=True):
    """What somebody else wants of the running program, left in the inbox."""

    #: pause, resume, send, emit, retry, drop, record, keep
    kind: str
    payload: Mapping[str, object]
    at: datetime
    id: int = 0


class Inbox(Protocol):
    """Where other processes leave requests for the owner of the database."""

    def add(self, *requests: Request) -> None:
        """Leave requests, which are taken together; durable when this returns."""

    def peek(self) -> list[Request]:
        """Return the requests left, oldest first; quick when nothing changed."""

    def remove(self, ids: Iterable[int]) -> None:
        """Take away requests that were committed elsewhere."""


class Recorder(Protocol):
    """Where the engine and the sender write; whoever implements it decides when and in which groups."""

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Have it committed soon, in order; `then` runs afterwards, on any thread."""

    def record_quiet(self, record: Record) -> None:
        """Have a quiet line of history written within a second."""
