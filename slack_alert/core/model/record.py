"""One line of history, and the verdicts it may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple


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
        """Return the word users see."""
        return self.value


#: Verdicts of slots that did not run; in a row they may be told as one line with a count.
NOT_RUN = frozenset({Verdict.OFF_HOURS, Verdict.PAUSED, Verdict.MISSED, Verdict.OVERLAPPED, Verdict.DENIED})


class Usage(NamedTuple):
    """What a run used that had a process of its own."""

    #: Time of the processor.
    cpu: timedelta
    #: The most memory its process had meanwhile, in bytes.
    memory: int


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


def extend(row: Record, after: Record) -> Record | None:
    """Return the row made longer by the one that follows it, or None where they are not alike."""
    if row.verdict not in NOT_RUN or after.verdict is not row.verdict or after.slot <= (row.until or row.slot):
        return None
    if after._replace(slot=row.slot, count=row.count, until=row.until) != row:
        return None
    return row._replace(count=row.count + after.count, until=after.until or after.slot)


def each(record: Record) -> Iterator[Record]:
    """Yield the lines of one job each that a record stands for."""
    if not record.sharers:
        yield record
    for job in record.sharers:
        yield record._replace(binding=job, sharers=())
