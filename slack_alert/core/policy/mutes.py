"""Quiet by choice: mutes that end by themselves, and recurring windows in which nothing is said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import clock

#: The name that stands for every job in a mute.
EVERY = "*"


class Mute(Struct, frozen=True):
    """A time in which a job, or every job (`*`), says nothing because somebody wants it so.

    A later one takes the place of an earlier one from its own `since` on; one that ends where it begins ends it.
    """

    job: str
    since: datetime
    until: datetime
    by: str

    @property
    def silences_all(self) -> bool:
        """Whether it means every job."""
        return self.job == EVERY

    def contains(self, instant: datetime) -> bool:
        """Return whether an instant lies in it; its end does not."""
        return self.since <= instant < self.until


def effective(mutes: Iterable[Mute], instant: datetime) -> Mute | None:
    """Find which of one job's mutes, oldest first, holds at an instant: the last one said by then."""
    said = [mute for mute in mutes if mute.since <= instant]
    return said[-1] if said and said[-1].contains(instant) else None


def stretches(mutes: Iterable[Mute]) -> list[Mute]:
    """Join one job's mutes, oldest first, where one follows upon another: each is one silence, and one digest."""
    joined: list[Mute] = []
    for mute in mutes:
        last = joined[-1] if joined else None
        if last is None or mute.since > last.until:
            joined.append(mute)
        elif mute.until > mute.since:
            joined[-1] = replace(last, until=mute.until, by=mute.by)
        else:  # Whoever ended it did not begin it.
            joined[-1] = replace(last, until=mute.until)
    return joined


def mute_reason(mute: Mute, zone: tzinfo, slot: datetime) -> str:
    """Return why nothing is said: `muted until 13:00 by ann`."""
    return f"{muting(mute)} until {clock(mute.until, zone, slot)} by {mute.by}"


def muting(mute: Mute) -> str:
    """Begin such a reason, which tells it from every other."""
    return "all jobs muted" if mute.silences_all else "muted"
