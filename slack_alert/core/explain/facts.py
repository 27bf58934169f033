"""The facts from which explanations are made, and how they format times and texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from slack_alert.core.bindings import Job
from slack_alert.core.model.message import PostedDelivery
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Record
from slack_alert.core.pipeline.reasons import reasons_text
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.sensors import SensorPhase
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_time

_QUOTED = 80
_FRESH = State()


class RecordWithMessages(Struct, frozen=True):
    """A record with its messages."""

    record: Record
    posted: tuple[PostedDelivery, ...] = ()

    @property
    def end(self) -> datetime:
        """Its slot, or the last one of several."""
        return self.record.until or self.record.slot


class JobFacts(Struct, frozen=True):
    """The present state of the job to explain."""

    name: str
    now: datetime
    zone: tzinfo
    #: None: no plugin declares it any more.
    job: Job | None = None
    state: State = _FRESH
    pause: Pause | None = None
    #: When it was first seen, and its last slot that was processed.
    first_seen: datetime | None = None
    last: datetime | None = None
    #: Slot and start of the current run.
    going: tuple[datetime, datetime] | None = None
    is_running: bool = True
    #: Returns why it may not post at a slot; None: it may.
    mute: Callable[[datetime], Reason | None] = lambda _: None
    #: What it is at, of a sensor that runs for ever.
    phase: SensorPhase | None = None

    @property
    def is_external(self) -> bool:
        """Whether it is run by `exec` from outside: no plugin declares it, and none ever did."""
        return self.job is None and self.first_seen is None

    def why(self, slot: datetime, *reasons: Reason) -> str:
        """Return reasons at a slot as text."""
        return reasons_text(reasons, self.zone, slot)

    def clock(self, at: datetime) -> str:
        """Return the local time in the configured zone, with its day if that is not today."""
        return format_time(at, self.zone, self.now)


def quoted(text: str) -> str:
    """Return the beginning of a text in quotation marks, without the fences of tables."""
    line, *more = text.replace("```", "").strip().splitlines() or [""]
    is_cut = len(line) > _QUOTED or any(part.strip() for part in more)
    return f"“{line[:_QUOTED].rstrip()}{'…' if is_cut else ''}”"
