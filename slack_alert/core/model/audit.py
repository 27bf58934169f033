"""The record of what people asked for: entries that are only ever appended, each chained to the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from slack_alert.core.structs import Struct


class AuditVerdict(str, Enum):
    """What became of something that a person asked for."""

    RAN = "ran"
    FAILED = "failed"
    DENIED = "denied"
    #: A guard refused it, or its words were wrong.
    REFUSED = "refused"
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELED = "canceled"
    INTERRUPTED = "interrupted"
    ANSWERED = "answered"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class AuditEntry(Struct, frozen=True):
    """An entry of the record; secrets are masked in all of it."""

    at: datetime
    #: The key of the identity, and its name at that time.
    by: str
    name: str
    #: The chat service and the conversation.
    chat: str
    channel: str
    door: str
    command: str
    params: Mapping[str, object]
    verdict: AuditVerdict
    reason: str = ""
    run: int | None = None
    duration: timedelta | None = None
    #: The dialog it belongs to, and the address of an HTTP caller.
    session: str = ""
    ip: str = ""


class ChainedEntry(Struct, frozen=True):
    """An entry at its place in the chain."""

    #: 1 for the first one; there are no gaps.
    id: int
    #: None: what is stored under this number is no entry.
    entry: AuditEntry | None
    #: The hash over the one before and this entry, in hexadecimal.
    hash: str


class AuditHead(Struct, frozen=True):
    """The last entry of the chain, as somebody else than the database remembers it."""

    id: int
    #: Its hash, or the beginning of it.
    hash: str
    at: datetime | None = None


class AuditAnchor(Struct, frozen=True):
    """Where the chain begins since older entries were pruned: the last one of those."""

    id: int
    hash: str
    #: The time of that entry.
    at: datetime
    #: A hash over the others, by which a made-up one is told.
    seal: str
