"""Messages and their deliveries."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.structs import Struct


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


class Message(Struct, frozen=True):
    """A message to people; alerts and replies have the same type."""

    #: Idempotency key, never reused; enqueueing it again does nothing.
    key: str
    to: Address
    piece: Piece
    #: The slot that caused it, which a late message begins with; None if no slot did.
    slot: datetime | None = None
    run: int | None = None
    manner: DeliveryMode = DeliveryMode.POST
    #: Key of the message to reply to or to edit; if that is impossible, a new message is posted.
    root: str = ""


class Status(str, Enum):
    """Status of a delivery."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    #: Replaced, along with others, by one message that counts and names them.
    COLLAPSED = "collapsed"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class Delivery(Struct, frozen=True):
    """A message in the outbox; the ids order the messages of an address."""

    id: int
    message: Message
    created: datetime
    attempts: int = 0
    status: Status = Status.QUEUED
    #: The channel's receipt, which identifies the sent message.
    receipt: str | None = None
    #: Why it was not sent yet, or never will be.
    reason: str | None = None
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


def job_of(message: Message) -> str:
    """Return the name of the job whose slot caused a message; empty: a person or the program itself caused it."""
    return message.key.rpartition("@")[0] if message.run is not None and message.slot is not None else ""


def run_key(message: Message) -> str:
    """Return the common part of the keys of one run's messages, so that a text in parts stays together."""
    return message.key.rpartition("#")[0] or message.key


def may_continue(message: Message) -> bool:
    """Return whether a message is so long that the next one may be the rest of the same text."""
    return isinstance(message.piece, Text) and len(message.piece.text) > LIMIT // 2
