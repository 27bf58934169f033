"""What is written in one transaction, before anything of it is sent, and what is read back at the start."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime
from typing import NamedTuple

from slack_alert.core.events import AcceptedEvent, Answer, Emitted
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.message import DeliveryProgress, Message, Status
from slack_alert.core.model.record import Record
from slack_alert.core.model.request import KeepValue, Request
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import Struct, field, replace


class JobProgress(NamedTuple):
    """When a job was first seen, where its grid starts, and its last slot with a known outcome.

    A tuple, because there may be tens of thousands.
    """

    first: datetime
    last: datetime | None = None


class StartedRun(Struct, frozen=True):
    """A run that was in progress at the last commit."""

    run: int
    binding: str
    slot: datetime
    started: datetime


class UnaccountedSlots(NamedTuple):
    """Slots of a job between two instants, both exclusive: of those without rows, a kill may have lost them."""

    job: str
    after: datetime
    until: datetime


class StoredValue(Struct, frozen=True):
    """A value of the durable key-value store of a pack; `value` None deletes it."""

    pack: str
    key: str
    #: JSON text, or an encrypted one behind a `!`.
    value: str | None
    expires: datetime | None = None
    #: Whether the value was the same before, so that nothing has changed but its end.
    is_same: bool = False


def keep_request(entry: StoredValue, at: datetime) -> Request:
    """Return the request to store a value."""
    return Request.of(KeepValue(entry.pack, entry.key, entry.value, entry.expires), at)


class HistoryLimits(Struct, frozen=True):
    """How much history is kept."""

    days: int = 30
    #: Beyond this many, quiet and not-run rows fold into one per job, verdict and hour.
    rows: int = 1_000_000
    #: How many days the record of what people asked for is kept; None: for ever.
    audit_days: int | None = None


class Batch(Struct):
    """Everything written in one transaction."""

    states: dict[str, State] = field(default_factory=dict)
    #: Of new jobs, and where no record shows it: a record that no person asked for advances its job by itself. Never
    #: moves a job back, unless the stored value lies ahead of `at`.
    seen: dict[str, JobProgress] = field(default_factory=dict)
    #: None resumes the job.
    holds: dict[str, Pause | None] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    #: Messages that count others; a waiting message with the same key is replaced.
    summaries: list[Message] = field(default_factory=list)
    progress: list[DeliveryProgress] = field(default_factory=list)
    entries: list[StoredValue] = field(default_factory=list)
    #: Replaces the set of runs in progress; None leaves it.
    running: tuple[StartedRun, ...] | None = None
    #: Runs that join this set, and runs that leave it; a run with a record leaves by itself.
    begun: list[StartedRun] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    #: What the runs of a killed process returned, until they have a record.
    returned: list[Returned] = field(default_factory=list)
    #: Where rows may be missing, until a batch lists the jobs in `accounted`.
    unaccounted: list[UnaccountedSlots] = field(default_factory=list)
    accounted: list[str] = field(default_factory=list)
    #: JSON text for `status`; None leaves it.
    pulse: str | None = None
    #: Outbox rows a person removed or wants sent again.
    dropped: list[int] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    #: The greatest inbox request that this batch applies; None leaves it. A request is never applied twice.
    taken: int | None = None
    #: Events for the engine, which accepts them where jobs want them.
    events: list[Emitted] = field(default_factory=list)
    #: Runs that people asked for and that are to be canceled, with the person who wants it; for the engine as well.
    canceled: list[tuple[int, str]] = field(default_factory=list)
    #: Events that are kept, and which job has answered which of them; each until all have answered it.
    accepted: list[AcceptedEvent] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    #: Events that no job wants, for the history.
    unmatched: list[AcceptedEvent] = field(default_factory=list)
    #: Commands that people asked for, which are kept, and the ids of those whose runs have ended.
    asked: list[AskedCommand] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    #: The ids of what came in from a chat, with the time: whatever comes with one of them again is not taken.
    inbound: list[tuple[str, datetime]] = field(default_factory=list)
    #: Entries of the record of what people asked for, which are only ever appended.
    audit: list[AuditEntry] = field(default_factory=list)
    #: The limits to which history is pruned after the commit.
    limits: HistoryLimits | None = None
    #: When the batch was made; messages are dated with it.
    at: datetime | None = None
    #: Whether a journal holds the batch, or its sources, until it is committed.
    is_kept: bool = False
    #: The next start makes it again where it is not committed, so no journal holds it.
    is_repeatable: bool = False

    @property
    def is_numbered(self) -> bool:
        """Whether its order matters, or whether it must not be written twice."""
        return bool(self.entries or self.holds or self.accepted or self.asked or self.audit)

    @property
    def is_durable(self) -> bool:
        """Whether losing the batch to a power failure would break a guarantee."""
        # A sent message whose progress is lost is in doubt, as after a crash: at worst it is repeated, never left out.
        is_decided = any(one.status is not Status.SENT for one in self.progress)
        told = self.messages or self.dropped or self.retried
        return is_decided or bool(
            self.states or self.holds or told or self.entries or self.accepted or self.asked or self.settled
            or self.audit
        )  # fmt: skip


class Snapshot(Struct, frozen=True):
    """The stored state when the program starts."""

    states: Mapping[str, State] = field(default_factory=dict)
    seen: Mapping[str, JobProgress] = field(default_factory=dict)
    holds: Mapping[str, Pause] = field(default_factory=dict)
    entries: tuple[StoredValue, ...] = ()
    #: Runs that never ended: the process died during them.
    running: tuple[StartedRun, ...] = ()
    #: Runs of which only their return value is known.
    returned: tuple[Returned, ...] = ()
    #: Where rows may be missing.
    unaccounted: tuple[UnaccountedSlots, ...] = ()
    #: Events that not all jobs have answered, in the order in which they were accepted.
    events: tuple[AcceptedEvent, ...] = ()
    #: Commands whose runs have not ended, in the order in which they were accepted.
    asked: tuple[AskedCommand, ...] = ()
    #: When what came in from chats within a day was taken, by its ids.
    inbound: Mapping[str, datetime] = field(default_factory=dict)
    #: The greatest id of an event ever given; 0 at first.
    last_event: int = 0
    #: The greatest run id ever given; 0 at first.
    last_run: int = 0
    #: The greatest inbox request that was applied; 0 at first.
    taken: int = 0
    #: JSON text of the last sign of life.
    pulse: str | None = None

    def of_jobs(self) -> Snapshot:
        """Return the same without the runs of commands."""
        commands = {asked.run for asked in self.asked}
        return replace(self, running=tuple([started for started in self.running if started.run not in commands]))

    def returned_by(self, names: Container[str]) -> list[Returned]:
        """Return the entries of `returned` that belong to these jobs."""
        return [one for one in self.returned if one.binding in names]

    def unaccounted_among(self, names: Container[str]) -> list[str]:
        """Return those of these jobs for which rows may be missing; after a clean end there are none."""
        return [name for name in dict.fromkeys(one.job for one in self.unaccounted) if name in names]


class HistoryLine(Struct, frozen=True):
    """A record with the delivery of its messages."""

    record: Record
    #: The worst status of its parts: dead before queued before sent; None where nothing was posted.
    delivery: str | None = None
    attempts: int = 0
    receipt: str | None = None
