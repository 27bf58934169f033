"""Outages: times in which no clock ran, and the reasons and remarks of the slots that were missed in them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.structs import Struct, Word
from slack_alert.core.units.humanize import format_time
from slack_alert.core.units.local_time import wall_of

#: The missed slots of a longer outage are announced, and `catch_up` decides about those of wall-clock triggers.
LONG = timedelta(minutes=1)


class OutageCause(Word):
    """Cause of an outage, in the words of its message."""

    DOWN = "Not running"
    STALLED = "Standing still"
    ASLEEP = "Asleep (or the clock was set ahead)"


class Outage(Struct, frozen=True):
    """A time in which slots were missed; `since` None: its beginning is unknown."""

    cause: OutageCause
    since: datetime | None
    until: datetime

    def span(self, zone: tzinfo) -> str:
        """Return its beginning and end: `from Sat 21 Nov 14:28 to 15:05`."""
        if self.since is None:
            return f"until {format_time(self.until, zone)}"
        is_one_day = wall_of(self.since, zone).date() == wall_of(self.until, zone).date()
        end = format_time(self.until, zone, self.until if is_one_day else None)
        return f"from {format_time(self.since, zone)} to {end}"

    def reason(self, first: datetime, last: datetime, zone: tzinfo) -> tuple[Reason, ...]:
        """Return the reason for missed slots; all slots that pass while the program is down have the same."""
        is_down = self.cause is OutageCause.DOWN
        late, count = (None, 0) if is_down else (self.until - first, 1 + (first != last))
        return (self._reason(ReasonCode.MISSED, zone, late, count),)

    def remarks(self, slot: datetime, zone: tzinfo) -> tuple[Reason, ...]:
        """Return the remark of a late run; none if it is hardly late."""
        is_long = self.cause is OutageCause.DOWN or self.since is None or self.until - self.since > LONG
        if slot == self.until or (not is_long and self.until - slot <= LONG):
            return ()
        return (self._reason(ReasonCode.CAUGHT_UP, zone, self.until - slot),)

    def _reason(self, code: ReasonCode, zone: tzinfo, late: timedelta | None, count: int = 0) -> Reason:
        what = self.cause.name.lower()
        return Reason(code, self.since, self.until, count=count, what=what, length=late, zone=str(zone))
