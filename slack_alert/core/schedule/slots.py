"""Iterate over and count the slots of any trigger; shared by all trigger modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from slack_alert.core.structs import Struct


class SlotSpan(Struct, frozen=True):
    """The due times within a span of time: their number, the first and the last."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None


def each_slot(
    next_after: Callable[[datetime], datetime | None], *, after: datetime, until: datetime
) -> Iterator[datetime]:
    """Yield the due times in (after, until]."""
    slot = next_after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_after(slot)


def count_slots(next_after: Callable[[datetime], datetime | None], *, after: datetime, until: datetime) -> SlotSpan:
    """Return the due times in (after, until], counted one by one."""
    count = 0
    first = last = None
    for slot in each_slot(next_after, after=after, until=until):
        count += 1
        first = first or slot
        last = slot
    return SlotSpan(count, first, last)
