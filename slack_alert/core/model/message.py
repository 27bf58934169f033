"""What is said, and how far its delivery is."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.structs import Struct


class PostedDelivery(NamedTuple):
    """A delivery, and what says how far it is."""

    delivery: Delivery
    #: When the last attempt was written down.
    changed: datetime | None = None
    #: How many others wait in front of it; more than that are not counted.
    in_front: int = 0


class DeliveryMode(str, Enum):
    """How a message stands to the one before it of the same incident."""

    #: A message of its own.
    POST = "post"
    #: A reply in the thread of the incident's message.
    REPLY = "reply"
    #: The incident's message, edited.
    EDIT = "edit"


class Message(Struct, frozen=True):
    """What is told to people; an alert and a reply are the same."""

    #: Unique for ever; enqueueing the same key again does nothing.
    key: str
    to: Address
    piece: Piece
    #: The slot that caused it; a late message begins with it. None for what no slot caused.
    slot: datetime | None = None
    run: int | None = None
    manner: DeliveryMode = DeliveryMode.POST
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
        """Return the word users see."""
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


class DeliveryProgress(Struct, frozen=True):
    """What became of one attempt to deliver, as it is written down."""

    delivery: int
    status: Status
    attempts: int
    at: datetime
    receipt: str | None = None
    reason: str | None = None


def job_of(message: Message) -> str:
    """Name the job whose slot caused it; empty: a person, or the program itself."""
    return message.key.rpartition("@")[0] if message.run is not None and message.slot is not None else ""


def turn_of(message: Message) -> str:
    """Name what one run says, by what its keys have in common: a text in parts is said in a row."""
    return message.key.rpartition("#")[0] or message.key


def goes_on(message: Message) -> bool:
    """Return whether it is so long that it may be a part of a longer text."""
    return isinstance(message.piece, Text) and len(message.piece.text) > LIMIT // 2
