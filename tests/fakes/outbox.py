"""An outbox with its sender on virtual time, and a channel that answers as it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from datetime import timezone as fixed

from slack_alert.core.content.render import Piece, Text, Upload
from slack_alert.core.errors import StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.former_messages import former_origin
from slack_alert.core.model.message import Delivery, Message, Status
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.prepare import Receipts
from slack_alert.engine.delivery.sender import Sender, SendRate
from slack_alert.engine.ports import Channel, Clock
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.stores.memory import MemoryStore
from tests.fakes.virtual_loop import NOON, LoopClock, VirtualLoop, run_virtually

#: In seconds: a token may come so much earlier by the rounding of times.
_ROUNDING = 1e-3
OPS, DEV = Address("slack", "#ops"), Address("slack", "#dev")
Answer = SendResult | SendStatus | Exception


@dataclass
class Scripted:
    """Answers by the text of a message, in turn; what is not in the script is accepted.

    AMBIGUOUS with a receipt was accepted, and only the answer was lost.
    """

    clock: Clock
    script: dict[str, list[Answer]] = field(default_factory=dict)
    #: What `find` answers, in turn: an exception is raised, None tells nothing, afterwards the truth is told.
    lookups: list[Exception | None] = field(default_factory=list)
    name: str = "slack"
    #: When, and what, of every attempt.
    attempts: list[tuple[float, str]] = field(default_factory=list)
    accepted: list[Delivery] = field(default_factory=list)
    asked: list[tuple[float, list[str]]] = field(default_factory=list)
    #: The receipts that came with what was asked for.
    followed: list[str | None] = field(default_factory=list)
    #: Called at each attempt, while it is under way.
    during: Callable[[str], None] = lambda _: None

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        said = text or said_by(delivery)
        self.attempts.append((self.clock.monotonic(), said))
        await self.clock.sleep(0)
        self.during(said)
        answers = self.script.get(delivery.message.key, [])
        answer = answers.pop(0) if answers else SendStatus.SENT
        if isinstance(answer, Exception):
            raise answer
        outcome = (
            SendResult(answer, "receipt" if answer is SendStatus.SENT else None)
            if isinstance(answer, SendStatus)
            else answer
        )
        if outcome.receipt is not None:
            self.accepted.append(delivery)
        return outcome

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002
        self.asked.append((self.clock.monotonic(), [delivery.message.key for delivery in deliveries]))
        self.followed.extend(delivery.follows for delivery in deliveries)
        if self.lookups:
            answer = self.lookups.pop(0)
            if answer is not None:
                raise answer
            return None
        known = {each.message.key for each in self.accepted}
        return {each.id: "found" for each in deliveries if each.message.key in known}

    @property
    def said(self) -> list[str]:
        """What every attempt said, in order."""
        return [said for _, said in self.attempts]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.attempts]

    @property
    def keys(self) -> list[str]:
        """What people see."""
        return [delivery.message.key for delivery in self.accepted]


def crowded_windows(times: Sequence[float], rate: float, burst: float) -> list[tuple[float, float]]:
    """Return the windows of time that have more attempts than a rate with its burst allows."""
    return [
        (first, last)
        for begin, first in enumerate(times)
        for count, last in enumerate(times[begin:], 1)
        if count > burst + (last - first + _ROUNDING) * rate
    ]


def said_by(delivery: Delivery) -> str:
    piece = delivery.message.piece
    if isinstance(piece, Upload):
        return piece.comment
    assert isinstance(piece, Text)
    return piece.text


@dataclass
class Outbox:
    """Everything around one sender."""

    channels: Mapping[str, Channel]
    clock: Clock
    pace: SendRate
    give_up: timedelta = timedelta(days=1)
    zone: tzinfo = fixed.utc
    store: MemoryStore = field(default_factory=MemoryStore)
    #: The messages a person has to know of, and why.
    lost: list[tuple[str, str]] = field(default_factory=list)
    #: The next reads of the store fail with these; of waiting deliveries, and of receipts.
    unreadable: list[StoreError] = field(default_factory=list)
    unreadable_receipts: list[StoreError] = field(default_factory=list)
    sender: Sender = field(init=False)
    recorder: DirectRecorder = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = DirectRecorder(self.store, self.clock, self._accept)
        self.sender = Sender(
            self.channels,
            recorder=self.recorder,
            waiting=self._waiting,
            last_receipt=self._last_receipt,
            receipts=Receipts(self.store.receipt),
            clock=self.clock,
            rates={"slack": self.pace},
            give_up=self.give_up,
            zone=self.zone,
            undeliverable=lambda delivery, outcome: self.lost.append((delivery.message.key, outcome.reason)),
        )

    def say(self, *keys: str, to: Address = OPS, slot: datetime | None = None, piece: Piece | None = None) -> None:
        """Commit messages in one group, each with its key as its text."""
        run = None if slot is None else 0
        messages = [Message(key, to, piece or Text(key), former_origin(key, slot, run)) for key in keys]
        self.recorder.submit(Batch(messages=messages))

    def drop(self, *ids: int) -> None:
        """Do what a person's `outbox drop` does."""
        self.sender.forget(ids)
        self.recorder.submit(Batch(dropped=list(ids)))

    def retry(self, *ids: int) -> None:
        """Do what a person's `outbox retry` does."""
        self.recorder.submit(Batch(retried=list(ids)))

    async def drained(self) -> None:
        await self.clock.sleep(0)  # what was said reaches the sender
        # Also behind a channel that refuses us, for as long as it does.
        await self.sender.drained()
        while self.sender.troubles and self.sender.queued:
            await self.clock.sleep(1)
            await self.sender.drained()

    @property
    def statuses(self) -> dict[str, str]:
        return {each.message.key: each.status.value for each in self.store.deliveries()}

    @property
    def queued(self) -> list[str]:
        return [each.message.key for each in self.store.deliveries() if each.status is Status.QUEUED]

    def delivery(self, key: str) -> Delivery:
        return next(each for each in self.store.deliveries() if each.message.key == key)

    def _accept(self, deliveries: list[Delivery]) -> None:
        self.sender.accept(deliveries)

    def _waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        if self.unreadable:
            raise self.unreadable.pop(0)
        return self.store.waiting(address, after, limit)

    def _last_receipt(self, address: str) -> str | None:
        if self.unreadable_receipts:
            raise self.unreadable_receipts.pop(0)
        return self.store.last_receipt(address)


Act = Callable[[Outbox], Awaitable[None]]


def stored(*keys: str, to: Address = OPS) -> MemoryStore:
    """Return a store in which a former process left these messages."""
    store = MemoryStore()
    store.commit(Batch(messages=[Message(key, to, Text(key)) for key in keys], at=NOON))
    return store


def played(
    act: Act,
    script: dict[str, list[Answer]] | None = None,
    *,
    pace: SendRate = SendRate(0),  # noqa: B008 - frozen
    lookups: Sequence[Exception | None] = (),
    store: MemoryStore | None = None,
    give_up: timedelta = timedelta(days=1),
) -> tuple[Scripted, Outbox]:
    """Let something happen to a sender with one scripted channel, then let it drain; return what is left to look at."""
    loop = VirtualLoop()
    clock = LoopClock(loop)
    channel = Scripted(clock, script or {}, list(lookups))
    remembered = MemoryStore() if store is None else store
    outbox = Outbox({"slack": channel}, clock, pace, give_up, store=remembered)

    async def whole() -> None:
        outbox.sender.restore()
        await act(outbox)
        await outbox.drained()

    run_virtually(loop, whole())
    return channel, outbox
