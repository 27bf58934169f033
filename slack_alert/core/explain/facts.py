"""What is known of a job when somebody asks why, and how its answers write times and texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from slack_alert.core.bindings import Job
from slack_alert.core.model.message import PostedDelivery
from slack_alert.core.model.record import Record
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import clock

_QUOTED = 80
_FRESH = State()


class RecordWithMessages(Struct, frozen=True):
    """A record with its messages."""

    record: Record
    posted: tuple[PostedDelivery, ...] = ()

    @property
    def end(self) -> datetime:
        """Its slot, of a row the last one."""
        return self.record.until or self.record.slot


class JobFacts(Struct, frozen=True):
    """The job somebody asks about, as it stands."""

    name: str
    now: datetime
    zone: tzinfo
    #: None: no plugin has it any more.
    job: Job | None = None
    state: State = _FRESH
    hold: Pause | None = None
    #: When it was first seen, and the last slot that was accounted for.
    first_seen: datetime | None = None
    last: datetime | None = None
    #: The slot of a run that goes on, and when that began.
    going: tuple[datetime, datetime] | None = None
    is_running: bool = True
    #: Why it may say nothing at a slot; empty: it may.
    mute: Callable[[datetime], str] = lambda _: ""

    @property
    def is_outside(self) -> bool:
        """Whether something else runs it, by `exec`: no plugin has it, and none had."""
        return self.job is None and self.first_seen is None

    def clock(self, at: datetime) -> str:
        """Write a time as people in the configured zone read it: with its day where that is not today."""
        return clock(at, self.zone, self.now)


def quoted(text: str) -> str:
    """Return the beginning of a text in quotation marks; what fences a table in is no part of it."""
    line, *more = text.replace("```", "").strip().splitlines() or [""]
    is_cut = len(line) > _QUOTED or any(part.strip() for part in more)
    return f"“{line[:_QUOTED].rstrip()}{'…' if is_cut else ''}”"
