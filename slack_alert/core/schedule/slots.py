"""The moments at which a job is due, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from slack_alert.core.structs import Struct


class SlotSpan(Struct, frozen=True):
    """The due times of a stretch of time: how many there are, the first and the last."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None


def each_slot(
    next_after: Callable[[datetime], datetime | None], *, after: datetime, until: datetime
) -> Iterator[datetime]:
    """Go through the due times in (after, until] one by one."""
    slot = next_after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_after(slot)


def count_slots(next_after: Callable[[datetime], datetime | None], *, after: datetime, until: datetime) -> SlotSpan:
    """Count the due times in (after, until] one by one."""
    count = 0
    first = last = None
    for slot in each_slot(next_after, after=after, until=until):
        count += 1
        first = first or slot
        last = slot
    return SlotSpan(count, first, last)
