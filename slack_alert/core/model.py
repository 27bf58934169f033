"""The records everything else passes on: addresses, actions, runs, results, messages, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from slack_alert.core.care import CAREFREE, Care
from slack_alert.core.content.render import Piece
from slack_alert.core.conversations import complete, parse_conversation
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import nearest


class Manner(str, Enum):
    """How a message stands to the one before it of the same incident."""

    #: A message of its own.
    POST = "post"
    #: A reply in the thread of the incident's message.
    REPLY = "reply"
    #: The incident's message, edited.
    EDIT = "edit"


class Verdict(str, Enum):
    """What the gate answers and what history shows; GO is never stored."""

    GO = "go"
    SAID = "said"
    QUIET = "quiet"
    ERROR = "error"
    OFF_HOURS = "off_hours"
    PAUSED = "paused"
    MUTED = "muted"
    MISSED = "missed"
    OVERLAPPED = "overlapped"
    DENIED = "denied"
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"

    # The default is a function in Python, and a million verdicts pass.
    __hash__ = str.__hash__

    def __str__(self) -> str:
        """Give the word users see."""
        return self.value


#: Verdicts of slots that did not run; in a row they may be told as one line with a count.
NOT_RUN = frozenset({Verdict.OFF_HOURS, Verdict.PAUSED, Verdict.MISSED, Verdict.OVERLAPPED, Verdict.DENIED})


#: Those that an address can name.
SERVICES = ("slack", "console")


class Address(Struct, frozen=True):
    """A conversation in a channel, the port to a service: `slack:#ops`, `console:`."""

    channel: str
    conversation: str

    def __str__(self) -> str:
        """Give the unambiguous form, as it is stored."""
        return f"{self.channel}:{self.conversation}"

    @classmethod
    def parse(cls, text: str, channel: str) -> Address:
        """Read what a person wrote; `channel` is meant where none is named. Raise BadValue where it means nothing.

        A conversation given as a bare word is a channel's name (`ops` is `#ops`); ids and people stay as they are.
        The terminal takes anything behind `console:`, and an empty text is the service's own place.
        """
        written = text.strip()
        service, colon, rest = written.partition(":")
        if not colon or not service.isidentifier():
            return cls(channel, parse_conversation(written) if written else "")
        if service not in SERVICES:
            meant = nearest(service, SERVICES)
            question = f"Did you mean {meant}? " if meant else ""
            hint = f"{question}Allowed services: {', '.join(SERVICES)}."
            raise BadValue(f"{written!r}: there is no service {service!r}", hint=hint)
        return cls(service, complete(rest.strip()) if service == "console" else parse_conversation(rest.strip()))

    @property
    def shown(self) -> str:
        """The form people read: without the service where the conversation says enough."""
        return self.conversation if self.conversation and self.channel in SERVICES else str(self)


class Action(Struct, frozen=True):
    """A named plugin function."""

    name: str
    file: str
    line: int
    doc: str | None = None
    #: None until the module has been executed, and always in `check` and `simulate`.
    function: Callable[..., Any] | None = None  # Any: a plugin may take and return what it likes
    takes_context: bool = False
    is_async: bool = False
    #: What an event, or a person, may fill in by its name; only of a rule and of a command.
    parameters: tuple[str, ...] = ()


class Failure(Struct, frozen=True):
    """An exception of a plugin, in words."""

    kind: str
    message: str
    #: `plugins/db.py:12`, the innermost line of the plugin's own code.
    place: str
    traceback: str
    #: What history says of it.
    verdict: Verdict = Verdict.ERROR
    #: What a program wrote last, told below all else.
    output: str = ""


class Run(Struct):
    """One execution of an action; not frozen, it collects what the function prints and says on its way."""

    id: int
    binding: str
    action: Action
    slot: datetime
    #: Who asked, when a person did; policy binds only runs nobody asked for.
    asked_by: str | None = None
    #: What was noticed, for a rule.
    event: Mapping[str, object] | None = None
    #: The name of the events its values become, for a sensor.
    emits: str | None = None
    started: datetime | None = None
    printed: list[str] | None = None
    #: How many characters it printed so far, kept or not.
    length: int = 0
    #: What was printed since the last line end.
    line: str = ""
    #: The generator whose values it says, while it goes on.
    values: object = None
    #: Passes on what is left of that line; set by whoever captures the output.
    end_line: Callable[[], None] | None = None
    #: Keeps what a sensor has set in `ctx.store`, and gives what waits for that, if anything has to.
    keep_values: Callable[[], Callable[[], None] | None] | None = None
    #: How much of what one run may say it has said, or wanted to, so far.
    volume: int = 0
    #: How many messages it has said so far (`ctx.say`, `yield`), and where to.
    said: int = 0
    told: tuple[Address, ...] = ()
    #: What it said, or wanted to while muted.
    texts: list[str] | None = None
    #: What it wants to say that is said at its end, all at once, and where to.
    held: tuple[tuple[Address, Piece], ...] = ()
    #: Of that, what goes elsewhere than the rest.
    elsewhere: tuple[tuple[Address, Piece], ...] = ()
    #: It spoke while muted.
    is_withheld: bool = False
    #: The rule behind what became of its first words, and whether that withholds all else that it says.
    reason: str = ""
    is_hushed: bool = False
    #: How many messages were withheld because it had said so many.
    withheld: int = 0
    is_canceled: bool = False
    #: The journal has what it returned, and nobody has put that anywhere yet.
    is_kept: bool = False
    #: The store has that it began: a kill leaves it `interrupted`.
    is_noted: bool = False
    #: Its function has returned; what it said is being written down.
    has_returned: bool = False
    care: Care = CAREFREE
    #: Given up, and its function still goes on in this process, where nothing can end it.
    is_stuck: bool = False
    #: Ends what its function handed back to be awaited, while that goes on.
    cancel: Callable[[], object] | None = None
    #: What to do when that function has returned after all; set by whoever waits for it.
    released: Callable[[], None] | None = None
    #: What history says of how it came about: that it was caught up, or tried again.
    remark: str = ""
    #: That it took longer than usual; what it says at its end carries it.
    slow: str = ""


class Usage(NamedTuple):
    """What a run used that had a process of its own."""

    #: Time of the processor.
    cpu: timedelta
    #: The most memory its process had meanwhile, in bytes.
    memory: int


class Result(NamedTuple):
    """How a run ended: what it has to say (empty: quiet), or a failure; a tuple, because a million pass."""

    pieces: tuple[Piece, ...] = ()
    failure: Failure | None = None
    duration: timedelta = timedelta()
    usage: Usage | None = None
    #: What its value measures: a number has the name "".
    numbers: Mapping[str, float] | None = None


QUIET = Result()


class Returned(Struct, frozen=True):
    """What a run returned, before it is worked out what that means."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: tuple[Piece, ...]
    numbers: Mapping[str, float] | None = None
    remark: str = ""


class Message(Struct, frozen=True):
    """What is told to people; an alert and a reply are the same."""

    #: Unique for ever; enqueueing the same key again does nothing.
    key: str
    to: Address
    piece: Piece
    #: The slot that caused it; a late message begins with it. None for what no slot caused.
    slot: datetime | None = None
    run: int | None = None
    manner: Manner = Manner.POST
    #: The key of the message that is replied to or edited; one that cannot be is followed by a message of its own.
    root: str = ""


class Status(str, Enum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    #: One message was said for it and others, which counts and names them.
    COLLAPSED = "collapsed"

    def __str__(self) -> str:
        """Give the word users see."""
        return self.value


class Delivery(Struct, frozen=True):
    """A message on its way; the id gives the order within its address."""

    id: int
    message: Message
    created: datetime
    attempts: int = 0
    status: Status = Status.QUEUED
    #: What the channel answered on acceptance, enough to find the message again.
    receipt: str | None = None
    #: Why it is not there yet, or never will be.
    reason: str | None = None
    #: The receipt of the message that it replies to or edits; looked up for each attempt, and not stored.
    follows: str | None = None


class Progress(Struct, frozen=True):
    """What became of one attempt to deliver, as it is written down."""

    delivery: int
    status: Status
    attempts: int
    at: datetime
    receipt: str | None = None
    reason: str | None = None


class Record(NamedTuple):
    """One line of history: a slot, or a row of slots that did not run; a tuple, because a million pass."""

    run: int
    binding: str
    slot: datetime
    verdict: Verdict
    started: datetime | None = None
    duration: timedelta | None = None
    text: str = ""
    to: str | None = None
    alerts: int = 0
    paused_until: datetime | None = None
    error: str | None = None
    printed: str | None = None
    count: int = 1  # type: ignore[assignment]  # hides tuple.count, which nobody needs of a record
    #: The last slot of the row, where count > 1.
    until: datetime | None = None
    #: Who asked for the run, when a person did.
    asked_by: str | None = None
    #: The rule behind the verdict with its numbers, where the verdict alone does not say it.
    reason: str | None = None
    numbers: Mapping[str, float] | None = None
    usage: Usage | None = None
    #: The jobs whose line it is, where many have the same one at once; `binding` is empty then.
    sharers: tuple[str, ...] = ()
