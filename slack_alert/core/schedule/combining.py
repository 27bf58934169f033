"""Triggers made of other triggers: several combined, bounded, and with jitter."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import TypeAlias

from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.cron import Cron
from slack_alert.core.schedule.intervals import Every, EveryDays, Never, Once
from slack_alert.core.schedule.slots import SlotSpan, each_slot
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import TICK

_FRACTION_BITS = 64
#: Number of due times that are compared one by one; duplicates among further ones are extrapolated from these.
_COMPARED = 10_000


class AnyOf(Struct, frozen=True):
    """Due whenever one of its parts is; a due time of several parts counts once. Dense parts come first."""

    parts: tuple[Trigger, ...]

    @property
    def by_wall_clock(self) -> bool:
        return all(part.by_wall_clock for part in self.parts)

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        return min(filter(None, (part.next_after(after, anchor) for part in self.parts)), default=None)

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until]; duplicates are counted by comparing the first ones of each part."""
        passed = [part.passed(after, until, anchor) for part in self.parts]
        doubled = 0
        for index in range(1, len(self.parts)):
            compared = min(passed[index].count, _COMPARED)
            if compared:
                found = self._count_doubled(index, after, until, anchor, most=compared)
                doubled += found * passed[index].count // compared
        return SlotSpan(
            sum(one.count for one in passed) - doubled,
            min((one.first for one in passed if one.first), default=None),
            max((one.last for one in passed if one.last), default=None),
        )

    def describe(self) -> str:
        return " and ".join(part.describe() for part in self.parts)

    def _count_doubled(self, index: int, after: datetime, until: datetime, anchor: datetime, *, most: int) -> int:
        """Return how many of the first `most` due times of a part are due times of an earlier part as well."""
        part, earlier = self.parts[index], self.parts[:index]
        slots = each_slot(lambda instant: part.next_after(instant, anchor), after=after, until=until)
        return sum(
            any(other.next_after(slot - TICK, anchor) == slot for other in earlier) for slot in islice(slots, most)
        )


class Between(Struct, frozen=True):
    """Due when the trigger is, from `start` on and before `end`."""

    trigger: Trigger
    start: datetime | None
    end: datetime | None

    @property
    def by_wall_clock(self) -> bool:
        return self.trigger.by_wall_clock

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        slot = self.trigger.next_after(self._lower(after), anchor)
        return None if slot is None or (self.end and slot >= self.end) else slot

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until]."""
        upper = min(until, self.end - TICK) if self.end else until
        return self.trigger.passed(self._lower(after), upper, anchor)

    def describe(self) -> str:
        return self.trigger.describe()

    def _lower(self, after: datetime) -> datetime:
        return max(after, self.start - TICK) if self.start else after


class Jittered(Struct, frozen=True, kw_only=True):
    """Due up to `jitter` after the trigger, but always before its next slot and before `end`.

    So no slot is overtaken, lost or doubled, however long the jitter. The delay depends only on the job's name and the
    slot: it does not accumulate, and is the same in every process.
    """

    trigger: Trigger
    jitter: timedelta
    name: str
    end: datetime | None = None

    @property
    def by_wall_clock(self) -> bool:
        return self.trigger.by_wall_clock

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        pending = self._pending(after, anchor)
        if pending is not None:
            return pending
        slot = self.trigger.next_after(after, anchor)
        return None if slot is None else self._due(slot, anchor)

    def passed(self, after: datetime, until: datetime, anchor: datetime) -> SlotSpan:
        """Return the due times in (after, until]."""
        if until <= after:
            return SlotSpan()
        begun = self._pending(after, anchor) is not None
        unfinished = self._pending(until, anchor) is not None
        count = self.trigger.passed(after, until, anchor).count + begun - unfinished
        if not count:
            return SlotSpan()
        return SlotSpan(count, self.next_after(after, anchor), self._last_by(until, after=after, anchor=anchor))

    def describe(self) -> str:
        return self.trigger.describe()

    def _slot_by(self, instant: datetime, anchor: datetime) -> datetime | None:
        """Return the last slot up to an instant, if it is recent enough to be due after that."""
        return self.trigger.passed(instant - self.jitter, instant, anchor).last

    def _pending(self, instant: datetime, anchor: datetime) -> datetime | None:
        """Return the due time after `instant` of a slot before it, or None; only the last slot can have one."""
        slot = self._slot_by(instant, anchor)
        if slot is None:
            return None
        due = self._due(slot, anchor)
        return due if due > instant else None

    def _last_by(self, until: datetime, *, after: datetime, anchor: datetime) -> datetime | None:
        """Return the last due time up to `until`, if there is one after `after`."""
        slot = self.trigger.passed(after - self.jitter, until, anchor).last
        if slot is not None and self._due(slot, anchor) > until:
            slot = self.trigger.passed(after - self.jitter, slot - TICK, anchor).last
        return None if slot is None else self._due(slot, anchor)

    def _due(self, slot: datetime, anchor: datetime) -> datetime:
        limits = (self.trigger.next_after(slot, anchor), self.end)
        room = min([self.jitter, *(limit - slot for limit in limits if limit)])
        # hash() differs from process to process.
        digest = blake2b(f"{self.name} {slot.isoformat()}".encode(), digest_size=_FRACTION_BITS // 8).digest()
        return slot + (room // TICK * int.from_bytes(digest, "big") >> _FRACTION_BITS) * TICK


Trigger: TypeAlias = Every | EveryDays | Cron | Once | Never | Absence | AnyOf | Between | Jittered
