"""Notices stalls, sleep and steps of the clock: a slot that fires long after its time has passed unseen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.model.reason import Reason
from slack_alert.core.pipeline.outages import LONG, Outage, OutageCause
from slack_alert.engine.ports import Clock

#: The time of a tick: by the wall clock, and by the monotonic clock, which stands still while the machine sleeps.
_Look = tuple[datetime, float]
_SECOND = timedelta(seconds=1)


class MissedTicks:
    """A tick, and the runs found missed at it; the outage before it is computed only when it is needed."""

    __slots__ = ("_before", "_hardly_late", "_look", "_outage", "in_time", "is_long", "late_absences", "missed")

    def __init__(self, look: _Look, before: _Look | None, outage: Outage | None = None) -> None:
        self._look = look
        self._before = before
        self._outage = outage
        #: A slot that needs no remark, in any zone.
        self._hardly_late: datetime | None = None
        #: Whether the gap since the tick before is long enough for a message.
        self.is_long = before is not None and look[0] - before[0] > LONG
        #: Slots before this passed unseen, later ones are in time: after a short stall, all that are not old.
        self.in_time = look[0] if self.is_long else look[0] - LONG
        #: The number of missed runs by job.
        self.missed: dict[str, int] = {}
        #: The jobs whose missing event was noticed only now, late.
        self.late_absences: list[str] = []

    @classmethod
    def of_outage(cls, outage: Outage) -> MissedTicks:
        """Return the missed ticks of a start, after the program was down."""
        return cls((outage.until, 0.0), None, outage)

    @property
    def outage(self) -> Outage:
        """The outage before this tick: the given one, or the time since the tick before."""
        if self._outage is None:
            self._outage = self._worked_out()
        return self._outage

    def concerns(self, slots: Sequence[datetime]) -> bool:
        """Return whether any of a job's slots may have passed unseen: of several, only the last can be in time."""
        return len(slots) > 1 or slots[0] < self.in_time

    def remarks(self, slot: datetime, zone: tzinfo) -> tuple[Reason, ...]:
        """Return a remark that a slot passed unseen; none where it comes in time."""
        if slot is not self._hardly_late:  # Jobs come due together.
            if remarks := self.outage.remarks(slot, zone):
                return remarks
            self._hardly_late = slot
        return ()

    def _worked_out(self) -> Outage:
        now, steady = self._look
        if self._before is None:
            return Outage(OutageCause.STALLED, None, now)
        since, steady_then = self._before
        passed = now - since
        asleep = passed - timedelta(seconds=steady - steady_then)
        is_asleep = asleep > _SECOND and asleep * 2 > passed
        return Outage(OutageCause.ASLEEP if is_asleep else OutageCause.STALLED, since, now)


class TickMonitor:
    """Remembers the last tick. Used by the single thread that emits due slots."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: _Look | None = None

    def tick(self) -> MissedTicks:
        """Record a tick, and return the missed ticks since the one before."""
        look = self._clock.now(), self._clock.monotonic()
        before, self._last = self._last, look
        return MissedTicks(look, before)


#: Smaller steps are ordinary corrections of the clock, and delay nothing by more than this.
_TOLERATED = timedelta(seconds=2)


class ClockSteps:
    """Notices when the wall clock was set back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = (clock.now(), clock.monotonic())

    def back(self) -> timedelta | None:
        """Return how far the clock was set back since the last call; None where it was not."""
        (wall, passed), self._at = self._at, (self._clock.now(), self._clock.monotonic())
        step = timedelta(seconds=self._at[1] - passed) - (self._at[0] - wall)
        return step if step > _TOLERATED else None
