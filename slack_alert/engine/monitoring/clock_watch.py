"""Whether the clock was looked at all the time: what came long after its time passed unseen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.pipeline.outages import LONG, Outage, OutageCause
from slack_alert.engine.ports import Clock

#: When that was: by the wall's clock, and by the one that is never set and stands still while the machine sleeps.
_Look = tuple[datetime, float]
_SECOND = timedelta(seconds=1)


class MissedTicks:
    """A look at the clock, and which runs it found missed; what came before is worked out only where it matters."""

    __slots__ = ("_before", "_hardly_late", "_lapse", "_look", "in_time", "is_long", "judged", "missed")

    def __init__(self, look: _Look, before: _Look | None, lapse: Outage | None = None) -> None:
        self._look = look
        self._before = before
        self._lapse = lapse
        #: A slot of which there is nothing to be remarked, in whichever zone.
        self._hardly_late: datetime | None = None
        #: Whether nobody looked for so long that it is worth a message.
        self.is_long = before is not None and look[0] - before[0] > LONG
        #: Slots of before this passed unseen, later ones are in time: after a hiccup, all that are not old.
        self.in_time = look[0] if self.is_long else look[0] - LONG
        #: How many runs of each job.
        self.missed: dict[str, int] = {}
        #: The jobs that run because an event did not come, found so only now.
        self.judged: list[str] = []

    @classmethod
    def down(cls, lapse: Outage) -> MissedTicks:
        """Make that of a start, after the program was down."""
        return cls((lapse.until, 0.0), None, lapse)

    @property
    def lapse(self) -> Outage:
        """The time since the look before, or that of which it is known what it was."""
        if self._lapse is None:
            self._lapse = self._worked_out()
        return self._lapse

    def concerns(self, slots: Sequence[datetime]) -> bool:
        """Return whether any of a job's slots may have passed unseen: of several the last alone can be in time."""
        return len(slots) > 1 or slots[0] < self.in_time

    def remark(self, slot: datetime, zone: tzinfo) -> str:
        """Say of a run that its slot passed unseen, where it hardly comes in time."""
        if slot is not self._hardly_late:  # Jobs come due together.
            if remark := self.lapse.remark(slot, zone):
                return remark
            self._hardly_late = slot
        return ""

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
    """Remembers when the clock was looked at last. Used by the one thread that tells what is due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: _Look | None = None

    def tick(self) -> MissedTicks:
        """Look at the clock."""
        look = self._clock.now(), self._clock.monotonic()
        before, self._last = self._last, look
        return MissedTicks(look, before)


#: Less than this is how a clock is kept right; nothing stands still for longer than that because of it.
_TOLERATED = timedelta(seconds=2)


class ClockSteps:
    """Notices when the wall clock was set back since it was last asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = (clock.now(), clock.monotonic())

    def back(self) -> timedelta | None:
        """Return how far the clock went back; None where it did not."""
        (wall, passed), self._at = self._at, (self._clock.now(), self._clock.monotonic())
        step = timedelta(seconds=self._at[1] - passed) - (self._at[0] - wall)
        return step if step > _TOLERATED else None
