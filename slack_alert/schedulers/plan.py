"""When which jobs are due: one heap over all triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from slack_alert.core.schedule.triggers import Trigger
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.ports import Due

Moved = Callable[[], datetime] | None


#: By this time after a slot, everything has come that moves the start of a grid: what lay in the inbox is taken.
TAKING = timedelta(seconds=1)


class PlannedJob(NamedTuple):
    """A job as the clock needs it."""

    name: str
    trigger: Trigger
    #: Where the grid of its intervals starts.
    anchor: datetime
    #: Slots up to here were accounted for.
    after: datetime
    #: Where it starts by now, for a grid that moves on while it is gone by; never back.
    moved: Moved = None


class SlotPlan:
    """When which job is due: a heap of groups, each the jobs that share a trigger and the start of its grid.

    Jobs of one interval come due together, so a thousand of them cost the clock one step.
    """

    def __init__(self, planned: Iterable[PlannedJob]) -> None:
        groups: dict[tuple[Trigger, datetime, datetime, Moved], list[str]] = {}
        for each in planned:
            groups.setdefault((each.trigger, each.anchor, each.after, each.moved), []).append(each.name)
        self._groups = [(trigger, anchor, names, moved) for (trigger, anchor, _, moved), names in groups.items()]
        #: Of each group, the last slot that was taken out.
        self._after = [after for _, _, after, _ in groups]
        starts = enumerate(groups)
        #: The order of the files decides between groups that are due at the same instant.
        self._heap = [
            (slot if moved is None else slot + TAKING, order)
            for order, (trigger, anchor, after, moved) in starts
            if (slot := trigger.next_after(after, anchor)) is not None
        ]
        heapify(self._heap)

    def followed_by(self, planned: Iterable[PlannedJob]) -> SlotPlan:
        """Make a later plan; a job whose grid is the same goes on with the slot after its last one."""
        grids = {
            name: (trigger, anchor, self._after[order])
            for order, (trigger, anchor, names, _) in enumerate(self._groups)
            for name in names
        }
        return SlotPlan(_continued(each, grids.get(each.name)) for each in planned)

    @property
    def next(self) -> datetime | None:
        """The next instant at which anything is due."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: datetime) -> list[Due]:
        """Take out what is due by now: names with their slots, of which a stall leaves three at most."""
        taken: list[Due] = []
        while self._heap and self._heap[0][0] <= now:
            slot, order = self._heap[0]
            trigger, anchor, names, moved = self._groups[order]
            if moved is not None:
                taken += self._take_moved(now, order, moved())
                continue
            slots = _due_by(now, slot, trigger, anchor)
            self._after[order] = slots[-1]
            taken.append((names, slots))
            self._put_back(trigger.next_after(slots[-1], anchor), order)
        return taken

    def _take_moved(self, now: datetime, order: int, anchor: datetime) -> list[Due]:
        """Take out what is due of a grid that may start later by now; its slots came no earlier for that."""
        trigger, _, names, moved = self._groups[order]
        self._groups[order] = (trigger, anchor, names, moved)
        slot = trigger.next_after(self._after[order], anchor)
        taken: list[Due] = []
        if slot is not None and slot + TAKING <= now:
            slots = _due_by(now - TAKING, slot, trigger, anchor)
            self._after[order] = slots[-1]
            taken.append((names, slots))
            slot = trigger.next_after(slots[-1], anchor)
        self._put_back(slot and slot + TAKING, order)
        return taken

    def _put_back(self, slot: datetime | None, order: int) -> None:
        """Have the first group wait for its next slot."""
        if slot is None:
            heappop(self._heap)
        else:
            heapreplace(self._heap, (slot, order))


def _continued(planned: PlannedJob, grid: tuple[Trigger, datetime, datetime] | None) -> PlannedJob:
    if grid is None or grid[:2] != (planned.trigger, planned.anchor):
        return planned
    return planned._replace(after=grid[2])


def _due_by(now: datetime, slot: datetime, trigger: Trigger, anchor: datetime) -> Sequence[datetime]:
    """Return the first, the last but one and the last: after a leap of the clock there may be billions between."""
    second = trigger.next_after(slot, anchor)
    if second is None or second > now:
        return (slot,)
    last = trigger.passed(slot - TICK, now, anchor).last or second
    before = trigger.passed(slot - TICK, last - TICK, anchor).last or slot
    return (slot, last) if before <= slot else (slot, before, last)
