"""Outages: times in which no clock ran, and the reasons and remarks of the slots that were missed in them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache

from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_delay, format_time
from slack_alert.core.units.local_time import wall_of

#: The missed slots of a longer outage are announced, and `catch_up` decides about those of wall-clock triggers.
LONG = timedelta(minutes=1)


class OutageCause(str, Enum):
    """Cause of an outage, in the words of its message."""

    DOWN = "Not running"
    STALLED = "Standing still"
    ASLEEP = "Asleep (or the clock was set ahead)"

    def __str__(self) -> str:
        """Return the words of the message."""
        return self.value


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

    def reason(self, first: datetime, last: datetime, zone: tzinfo) -> str:
        """Return the reason for missed slots: `by 1.2s, because the program stood still from ... to ...`."""
        return _reason(self, first, zone, is_row=first != last)

    def remark(self, slot: datetime, zone: tzinfo) -> str:
        """Return the remark of a late run: `caught up 2h late, because ...`; empty if it is hardly late."""
        is_long = self.cause is OutageCause.DOWN or self.since is None or self.until - self.since > LONG
        if slot == self.until or (not is_long and self.until - slot <= LONG):
            return ""
        return f"caught up {format_delay(self.until - slot)} late, because {_CLAUSES[self.cause]} {self.span(zone)}"


_CLAUSES = {
    OutageCause.DOWN: "the program was not running",
    OutageCause.STALLED: "the program stood still",
    OutageCause.ASLEEP: "the machine was asleep",
}


# Cached, because a thousand jobs that were due together miss their slots for one reason.
@lru_cache(maxsize=64)
def _reason(lapse: Outage, first: datetime, zone: tzinfo, *, is_row: bool) -> str:
    what = f"because {_CLAUSES[lapse.cause]} {lapse.span(zone)}"
    if lapse.cause is OutageCause.DOWN:
        return what
    return f"by {'up to ' if is_row else ''}{format_delay(lapse.until - first)}, {what}"
