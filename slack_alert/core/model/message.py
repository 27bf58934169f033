"""Messages and their deliveries."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar, NamedTuple

from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.structs import Int64, PrivateStruct, Struct, Word, replace


class PostedDelivery(NamedTuple):
    """A delivery with its progress."""

    delivery: Delivery
    #: Time at which the last attempt was recorded.
    changed: datetime | None = None
    #: Number of deliveries queued before it, counted up to a limit.
    in_front: int = 0


class DeliveryMode(str, Enum):
    """How a message is posted, in relation to the message of its incident."""

    #: A message of its own.
    POST = "post"
    #: A reply in the thread of the incident's message.
    REPLY = "reply"
    #: The incident's message, edited.
    EDIT = "edit"


class MessageSeverity(str, Enum):
    """How bad it is what a message tells."""

    INFO = "info"
    #: The run failed.
    ERROR = "error"


#: The messages of a run that answer the person who asked for it are numbered from here.
ANSWERS = 1_000_000


class RunPart(Struct, frozen=True, tag="run"):
    """The origin of a run's message."""

    job: str
    #: The slot that caused the run, which a late message begins with; None: a person asked for it.
    slot: datetime | None
    run: Int64
    #: The number of its messages before this one.
    n: Int64 = 0

    @property
    def key(self) -> str:
        """The key of its message; that of a run without a slot is unique by other means."""
        assert self.slot is not None, "whoever asks makes a key"
        return f"{self.job}@{self.slot.isoformat()}/{self.run}#{self.n}"

    @property
    def whole(self) -> RunPart:
        """The same for all messages of the run, so that a text in parts stays together."""
        return replace(self, n=0)


class Notice(Struct, frozen=True, tag="notice"):
    """The origin of a message that no run made: the program itself, or a person at the command line."""

    kind: str
    #: What makes it unique among those of its kind.
    id: str
    #: The number of the text's parts before this one; None: it never has parts.
    n: Int64 | None = None
    job: ClassVar[str] = ""
    slot: ClassVar[None] = None
    run: ClassVar[None] = None

    @property
    def key(self) -> str:
        """The key of its message."""
        return f"{self.kind}/{self.id}" if self.n is None else f"{self.kind}/{self.id}#{self.n}"

    @property
    def whole(self) -> Notice:
        """The same for all parts of a text, so that they stay together."""
        return self if self.n is None else replace(self, n=0)


Origin = RunPart | Notice


class Button(Struct, frozen=True, array_like=True):
    """A button of a message, where a door of its channel takes what is pressed."""

    label: str
    #: The command that it asks for, what that is about, which is one word whatever is in it, and further words.
    action: str
    about: str
    rest: str = ""


class Message(PrivateStruct, frozen=True):
    """A message to people; alerts and replies have the same type."""

    hidden = frozenset({"response_url"})

    #: Idempotency key, never reused; enqueueing it again does nothing. It is compared and never taken apart.
    key: str
    to: Address
    piece: Piece
    origin: Origin = Notice("", "")
    manner: DeliveryMode = DeliveryMode.POST
    #: Key of the message to reply to or to edit; if that is impossible, a new message is posted.
    root: str = ""
    severity: MessageSeverity = MessageSeverity.INFO
    #: The thread, in the channel's own words, that a message of somebody else began and that this one is posted in.
    thread: str = ""
    #: Shown only by a channel with a door that takes what is pressed.
    buttons: tuple[Button, ...] = ()
    #: Where it goes if the conversation is closed to us, or if it `is_private`; a secret, and good for few messages.
    response_url: str = ""
    #: For the person alone who asked, as far as the channel can do that.
    is_private: bool = False
    #: An edit that another one follows; where nothing can be edited it is left out.
    is_passing: bool = False


class Status(Word):
    """Status of a delivery."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    #: Replaced, along with others, by one message that counts and names them.
    COLLAPSED = "collapsed"


class Delivery(Struct, frozen=True):
    """A message in the outbox; the ids order the messages of an address."""

    id: int
    message: Message
    created: datetime
    attempts: int = 0
    status: Status = Status.QUEUED
    #: The channel's receipt, which identifies the sent message.
    receipt: str | None = None
    #: Why it was not sent yet, or never will be, and whether the service itself said that.
    reason: str | None = None
    is_answer: bool = False
    #: Receipt of the message that it replies to or edits; looked up for each attempt, not stored.
    follows: str | None = None


class DeliveryProgress(Struct, frozen=True):
    """The state of a delivery after an attempt, as it is stored."""

    delivery: int
    status: Status
    attempts: int
    at: datetime
    receipt: str | None = None
    reason: str | None = None
    is_answer: bool = False


def job_of(message: Message) -> str:
    """Return the name of the job whose slot caused a message; empty: a person or the program itself caused it."""
    return message.origin.job if message.origin.slot is not None else ""


def may_continue(message: Message) -> bool:
    """Return whether a message is so long that the next one may be the rest of the same text."""
    return isinstance(message.piece, Text) and len(message.piece.text) > LIMIT // 2
