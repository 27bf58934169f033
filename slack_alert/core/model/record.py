"""Records of the history, and their verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_alert.core.model.reason import Reason
from slack_alert.core.structs import Struct, Word


class Verdict(Word):
    """The result of the gate, or of a run in the history; GO is never stored."""

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


#: Verdicts of slots that did not run; consecutive ones may be stored as one record with a count.
NOT_RUN = frozenset({Verdict.OFF_HOURS, Verdict.PAUSED, Verdict.MISSED, Verdict.OVERLAPPED, Verdict.DENIED})


class Usage(NamedTuple):
    """Resources used by a run in a process of its own."""

    #: CPU time.
    cpu: timedelta
    #: Peak memory of the process, in bytes.
    memory: int


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What a function itself said and how it failed, without all that the policies made of it."""

    #: Empty: nothing, or nothing before it failed.
    said: str = ""
    #: The verdict of the failure, which a mute hides; None: it did not fail.
    failed: Verdict | None = None
    #: The kind of the failure and its message.
    kind: str = ""
    message: str = ""
    #: Of a run that may be retried, the attempt that failed, which the last line of the error tells; else 0.
    attempt: int = 0


class Record(NamedTuple):
    """One line of history: a slot, or consecutive slots that did not run. A tuple, because there are millions."""

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
    count: int = 1  # type: ignore[assignment]  # hides tuple.count, which records do not need
    #: The last slot, if count > 1.
    until: datetime | None = None
    #: The person who asked for the run, if any.
    asked_by: str | None = None
    #: The rules behind the verdict, if the verdict alone does not tell, and remarks.
    reasons: tuple[Reason, ...] = ()
    numbers: Mapping[str, float] | None = None
    usage: Usage | None = None
    #: The jobs that share this line, if several have the same one; `binding` is empty then.
    sharers: tuple[str, ...] = ()
    #: None: the function said `text` and did not fail.
    outcome: Outcome | None = None


def extend(row: Record, after: Record) -> Record | None:
    """Return `row` extended by the record that follows it, or None if they differ in more than their slots."""
    if row.verdict not in NOT_RUN or after.verdict is not row.verdict or after.slot <= (row.until or row.slot):
        return None
    if after._replace(slot=row.slot, count=row.count, until=row.until) != row:
        return None
    return row._replace(count=row.count + after.count, until=after.until or after.slot)


def split_by_job(record: Record) -> Iterator[Record]:
    """Yield a record for each job that shares `record`."""
    if not record.sharers:
        yield record
    for job in record.sharers:
        yield record._replace(binding=job, sharers=())
