"""The ports of the engine: protocols for the clock, sources, executors, channels and the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from slack_alert.core.catalog import CatalogChange
from slack_alert.core.content.pieces import Piece
from slack_alert.core.events import KeptEvent
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import Asker, ButtonPress, ChatMessage, Identity
from slack_alert.core.model.audit import AuditAnchor, AuditHead, ChainedEntry
from slack_alert.core.model.capabilities import Capabilities
from slack_alert.core.model.message import Delivery, PostedDelivery, RunPart
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.request import Request
from slack_alert.core.model.run import Result, Returned, Run
from slack_alert.core.retry import SendResult
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import Batch, HistoryLimits, HistoryLine, Snapshot
from slack_alert.engine.context.context import Context

T = TypeVar("T")


class Carrier(Protocol):
    """Executes plugin files beside the rest of the program: on threads, or on gevent's greenlets."""

    def current(self) -> object:
        """Return a handle of the caller for `interrupt`."""

    def carry(self, call: Callable[[], T]) -> T:
        """Make the call while the rest of the program goes on, and return its value."""

    def interrupt(self, carried: object) -> None:
        """Raise GivenUpError in the call with this handle, where that is possible."""


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for pacing."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""


#: Jobs that share their slots, and these, oldest first: all of them, or the first, the last but one and the last.
Due = tuple[Sequence[str], Sequence[datetime]]
Emit = Callable[[Sequence[Due]], None]


class Tick(Struct, frozen=True):
    """A moment of the clock, as an event: all slots that are due together, and no object for each."""

    due: Sequence[Due]


class Source(Protocol):
    """Emits due slots."""

    def start(self, emit: Emit) -> None:
        """Begin to call `emit` with all slots that are due together, from a single thread or greenlet."""

    def stop(self) -> None:
        """Emit nothing more."""


class ExecutorLoad(Struct, frozen=True):
    """The load of an executor."""

    #: Threads that call a function, and how many may.
    busy: int = 0
    threads: int = 0
    #: Functions that were given up and still go on.
    stuck: int = 0
    #: Runs that wait for a thread.
    waiting: int = 0


class ChangeWatch(Protocol):
    """Notices changes of plugin files."""

    def start(self) -> None:
        """Begin to watch; earlier changes may go unnoticed."""

    def has_changed(self, passed: float) -> bool:
        """Return whether files may have changed since the last call; `passed` is monotonic time in seconds."""

    def stop(self) -> None:
        """Stop watching."""


#: Reads changed plugin files and returns the change, given monotonic time in seconds; None: nothing has changed.
Reload = Callable[[float], CatalogChange | None]


class RunHost(Protocol):
    """The side of a run that is not its function: takes what the function says and returns, on any thread."""

    def done(self, run: Run, result: Result) -> None:
        """Take the result of a run; called once for each."""

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces in the middle of a run, to the job's address or to another."""

    def emit(self, run: Run, value: object) -> None:
        """Handle a value of a sensor as an event."""

    def context(self, run: Run) -> Context:
        """Return the context of a run, for a function that takes one."""

    def ended(self, run: Run) -> None:
        """End what the function of a run has started, as the function is over or given up."""


class Executor(Protocol):
    """Calls the functions of runs."""

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Call every run's action once and report exactly one result for it, exceptions included; never block."""

    def stop(self) -> None:
        """Accept no further runs; those in progress may end."""


class CancelingExecutor(Executor, Protocol):
    """An executor whose runs may be canceled."""

    def cancel(self, run: Run, *, grace: timedelta) -> None:
        """Ask the function of a run to end; what can be killed is killed after `grace`. It may block for so long."""


class SensorExecutor(CancelingExecutor, Protocol):
    """An executor for sensors that run for ever: each of its runs has a process of its own."""

    def pid(self, run: Run) -> int | None:
        """Return the process of a run; None: it has none yet, or any more."""

    def version(self, name: str) -> object:
        """Return the contents of the files that a sensor's process is started with now: other ones are not equal."""


class Channel(Protocol):
    """Sends messages to people through a service."""

    name: str

    async def open(self) -> None:
        """Prepare for sending; must not fail because the service is unreachable."""

    def capabilities(self, to: Address) -> Capabilities:
        """Return what can be done with messages at an address: what cannot does not reach `send`."""

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Attempt one delivery; `text` replaces the text of a Text piece. Never raise for an answer of the service."""

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:
        """Return which of these deliveries (of one address) were accepted: delivery id to receipt.

        None: the channel cannot find out, now or later. Raise NotNow where asking again may help.
        """

    async def close(self) -> None:
        """Close the connections."""


class Intake(Protocol):
    """Takes what people write and press in a chat."""

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        """Return as soon as it may be acknowledged: it is committed, or it asks for nothing, or it was taken before."""


class DoorState(Struct, frozen=True):
    """Whether something can come in by a door."""

    is_open: bool
    #: Since when that is so.
    since: datetime
    #: Why it is closed, and what to do about that.
    reason: str = ""


class Door(Protocol):
    """A way in: translates what a service sends, and decides nothing."""

    name: str

    async def run(self, intake: Intake) -> None:
        """Let in until cancelled; a connection that ends is made again, and nothing is raised for it."""

    def state(self) -> DoorState:
        """Return whether it is open."""


class Cursor(Protocol):
    """How far a door has read conversations, kept over restarts."""

    def get(self, channel: str) -> str:
        """Return the time of the last message that was taken, as the service writes it; empty at the first start."""

    async def set(self, channel: str, ts: str) -> None:
        """Set it, durable when this returns; raise StoreError."""


class WebRequest(Struct, frozen=True):
    """A request that the web server has received whole."""

    method: str
    path: str
    #: By their names in small letters.
    headers: Mapping[str, str]
    body: bytes
    #: What follows the question mark.
    query: str = ""
    #: The IP address that it came from: the caller's, or a proxy's.
    peer: str = ""


class WebResponse(Struct, frozen=True):
    """The answer to a request."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


#: What answers requests, by method and path; a part of a path in braces stands for any text without a slash.
WebRoutes = Mapping[tuple[str, str], Callable[[WebRequest], Awaitable[WebResponse]]]


class People(Protocol):
    """What a chat service tells about its accounts, remembered for minutes."""

    def known(self, identity: Identity) -> Asker | None:
        """Return who that is, or None where the service must be asked; on any thread."""

    async def asker(self, identity: Identity) -> Asker:
        """Return who that is; `UNKNOWN`, or unknown groups, where the service does not answer within seconds."""


class Store(Protocol):
    """The writing side of the store, used by the single writer."""

    def open(self) -> Snapshot:
        """Bring the schema up to date and return the stored state."""

    def commit(self, batch: Batch) -> list[Delivery]:
        """Write the whole batch or nothing; return the deliveries of its messages and retries, in order.

        Where it raises an error, nothing was written: StoreError and OSError mean that the same batch is tried again.
        """

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        """Fold and delete history beyond the limits, and old deliveries that are not queued."""

    def close(self) -> None:
        """Close the files."""


class Journal(Protocol):
    """Keeps batches and returned values over a kill until they are committed."""

    def append(self, said: Batch | Returned) -> bool:
        """Append at once, from any thread; return whether that was possible."""

    def release(self, count: int) -> None:
        """Discard so many appended entries: they are committed."""

    def close(self) -> None:
        """Close the files."""


class HistoryReader(Protocol):
    """Reads runs and what was posted; may be used at any time, as all of `Reader`."""

    def history(self, *, job: str | None, since: datetime | None, limit: int | None) -> Iterator[HistoryLine]:
        """Yield the newest `limit` lines, oldest first."""

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the whole outbox, oldest first."""

    def posted(self, run: int) -> list[PostedDelivery]:
        """Return the deliveries of a run with their status."""


class OutboxReader(Protocol):
    """Reads what sending needs."""

    def waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        """Return queued deliveries with ids above `after`, oldest first; of one address, or of all (None)."""

    def last_receipt(self, address: str) -> str | None:
        """Return the receipt of the last message accepted at an address."""

    def receipt(self, key: str) -> str | None:
        """Return the receipt of a message, or None where it was not accepted."""

    def ended(self, runs: Collection[RunPart]) -> Mapping[int, Verdict]:
        """Return how runs have ended, those that have."""


class AuditKey(Protocol):
    """What lies outside of the database: the key of the chain of entries, and the last entry that was written."""

    def key(self, *, is_first: bool) -> bytes:
        """Return the key, which is made where there is none; unless it is for the first entry, that is logged.

        Raise StoreError if it can be neither read nor made.
        """

    def head(self) -> AuditHead | None:
        """Return the last entry that was kept, or None where nobody knows of any."""

    def keep(self, head: AuditHead) -> None:
        """Remember the last entry; a failure is logged, because the entry is committed."""


class AuditReader(Protocol):
    """Reads the record of what people asked for."""

    def audit(
        self, *, since: datetime | None, limit: int | None, by: str | None = None, command: str | None = None
    ) -> Iterator[ChainedEntry]:
        """Yield the newest `limit` entries, oldest first; of one person (by key or name), of commands that begin so."""

    def audit_chain(self) -> tuple[AuditAnchor | None, Iterator[ChainedEntry]]:
        """Return where the chain begins, and all entries as of one moment."""


class EventReader(Protocol):
    """Reads what happened, and what became of it."""

    def event(self, number: int) -> KeptEvent | None:
        """Return an event by its id, or None if there is none."""

    def caused_events(self, number: int) -> list[KeptEvent]:
        """Return the events that runs emitted which answered this one."""

    def events(self, *, after: int = 0, since: datetime | None = None, limit: int) -> list[KeptEvent]:
        """Return the newest `limit` events above an id, the oldest of them first."""


class Reader(HistoryReader, OutboxReader, AuditReader, EventReader, Protocol):
    """The reading side of the store."""

    def snapshot(self) -> Snapshot:
        """Return the state with which the program would start."""

    def close(self) -> None:
        """Close the files."""


class Submit(Protocol):
    """Submits requests to the running program."""

    def __call__(self, *requested: Request) -> bool:
        """Return whether a running program takes them; if none does, they are carried out at once."""


class Inbox(Protocol):
    """Holds the requests of other processes to the owner of the database."""

    def add(self, *requests: Request) -> int:
        """Add requests, which are applied together, and return the id of the last; durable when this returns."""

    def peek(self) -> list[Request]:
        """Return the requests, oldest first; quick when nothing changed."""

    def remove(self, ids: Iterable[int]) -> None:
        """Remove requests whose effects are committed in the database."""


class Recorder(Protocol):
    """Receives the writes of the engine and the sender; the implementation decides when and in which groups."""

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Commit the batch soon, in order; `then` is called afterwards, on any thread."""

    def record_quiet(self, record: Record) -> None:
        """Write a quiet line of history within a second."""
