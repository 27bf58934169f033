"""Mutes: times in which a job, or every job, posts nothing because somebody asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.structs import Struct, replace

#: Returns why a job is muted at a slot; None: it is not.
MuteReason = Callable[[str, datetime], Reason | None]
#: The job name that means every job.
EVERY = "*"


def never_muted(_job: str, _slot: datetime) -> None:
    """Return None: no job is muted."""


class Mute(Struct, frozen=True):
    """A time in which a job, or every job (`*`), posts nothing because somebody asked for it.

    A later mute replaces an earlier one from its own `since` on; a mute of no length ends the earlier one.
    """

    job: str
    since: datetime
    until: datetime
    by: str

    @property
    def silences_all(self) -> bool:
        """Whether it applies to every job."""
        return self.job == EVERY

    def contains(self, instant: datetime) -> bool:
        """Return whether an instant is within the mute; the end is exclusive."""
        return self.since <= instant < self.until


def active_mute(mutes: Iterable[Mute], instant: datetime) -> Mute | None:
    """Return the one of a job's mutes, oldest first, that is in effect at an instant: the last one begun by then."""
    said = [mute for mute in mutes if mute.since <= instant]
    return said[-1] if said and said[-1].contains(instant) else None


def merge_adjoining(mutes: Iterable[Mute]) -> list[Mute]:
    """Return a job's mutes, oldest first, with adjoining ones merged; each result ends with one digest."""
    joined: list[Mute] = []
    for mute in mutes:
        last = joined[-1] if joined else None
        if last is None or mute.since > last.until:
            joined.append(mute)
        elif mute.until > mute.since:
            joined[-1] = replace(last, until=mute.until, by=mute.by)
        else:  # Keep the name of the person who began the mute, not of the one who ended it.
            joined[-1] = replace(last, until=mute.until)
    return joined


def mute_reason(mute: Mute) -> Reason:
    """Return the reason for withholding a message."""
    return Reason(ReasonCode.ALL_MUTED if mute.silences_all else ReasonCode.MUTED, until=mute.until, by=mute.by)
