"""Times in which nobody looked at the clock: what they were, and what is said of the slots that passed in them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache

from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import clock, dated, span_of
from slack_alert.core.units.local_time import wall_of

#: What passes in a time longer than this is told, and `catch_up` decides about the slots of the wall clock.
LONG = timedelta(minutes=1)


class OutageCause(str, Enum):
    """Why nobody looked, in the words of the message that tells of it."""

    DOWN = "Not running"
    STALLED = "Standing still"
    ASLEEP = "Asleep (or the clock was set ahead)"

    def __str__(self) -> str:
        """Return the words."""
        return self.value


class Outage(Struct, frozen=True):
    """A time in which slots passed unseen; `since` None: it is not known from when on."""

    cause: OutageCause
    since: datetime | None
    until: datetime

    def span(self, zone: tzinfo) -> str:
        """Return from when to when: `from Sat 21 Nov 14:28 to 15:05`."""
        if self.since is None:
            return f"until {dated(self.until, zone)}"
        is_one_day = wall_of(self.since, zone).date() == wall_of(self.until, zone).date()
        end = clock(self.until, zone, self.until) if is_one_day else dated(self.until, zone)
        return f"from {dated(self.since, zone)} to {end}"

    def reason(self, first: datetime, last: datetime, zone: tzinfo) -> str:
        """Return why a row of slots was missed: `by 1.2s, because the program stood still from ... to ...`."""
        return _reason(self, first, zone, is_row=first != last)

    def remark(self, slot: datetime, zone: tzinfo) -> str:
        """Say of a run that its slot passed unseen: `caught up 2h late, because ...`; nothing where it hardly did."""
        is_long = self.cause is OutageCause.DOWN or self.since is None or self.until - self.since > LONG
        if slot == self.until or (not is_long and self.until - slot <= LONG):
            return ""
        return f"caught up {span_of(self.until - slot)} late, because {_CLAUSES[self.cause]} {self.span(zone)}"


_CLAUSES = {
    OutageCause.DOWN: "the program was not running",
    OutageCause.STALLED: "the program stood still",
    OutageCause.ASLEEP: "the machine was asleep",
}


# A thousand jobs that were due together miss their slots for one reason.
@lru_cache(maxsize=64)
def _reason(lapse: Outage, first: datetime, zone: tzinfo, *, is_row: bool) -> str:
    what = f"because {_CLAUSES[lapse.cause]} {lapse.span(zone)}"
    if lapse.cause is OutageCause.DOWN:
        return what
    return f"by {'up to ' if is_row else ''}{span_of(lapse.until - first)}, {what}"
