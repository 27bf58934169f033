"""What the four schedulers share: our plan behind APScheduler's trigger, and an executor that hands slots on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from heapq import heapify, heappop, heapreplace
from typing import Any, NamedTuple

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from slack_alert.core.schedule.triggers import Trigger
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.ports import Due, Emit

log = logging.getLogger(__name__)

#: So long the clock waits for those it feeds, when they are behind.
_BREATH = timedelta(seconds=0.1)
#: What every scheduler is made with; its own zone would only be told in logs, our triggers carry theirs.
OPTIONS: dict[str, Any] = {"timezone": timezone.utc}  # Any: as APScheduler takes it


Moved = Callable[[], datetime] | None
#: By this time after a slot, everything has come that moves the start of a grid: what lay in the inbox is taken.
TAKING = timedelta(seconds=1)


class Planned(NamedTuple):
    """A job as the clock needs it."""

    name: str
    trigger: Trigger
    #: Where the grid of its intervals starts.
    anchor: datetime
    #: Slots up to here were accounted for.
    after: datetime
    #: Where it starts by now, for a grid that moves on while it is gone by; never back.
    moved: Moved = None


class Plan:
    """When which job is due: a heap of groups, each the jobs that share a trigger and the start of its grid.

    Jobs of one interval come due together, so a thousand of them cost the clock one step.
    """

    def __init__(self, planned: Iterable[Planned]) -> None:
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

    def followed_by(self, planned: Iterable[Planned]) -> Plan:
        """Make a later plan; a job whose grid is the same goes on with the slot after its last one."""
        grids = {
            name: (trigger, anchor, self._after[order])
            for order, (trigger, anchor, names, _) in enumerate(self._groups)
            for name in names
        }
        return Plan(_continued(each, grids.get(each.name)) for each in planned)

    @property
    def next(self) -> datetime | None:
        """The next instant at which anything is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> list[Due]:
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


def _continued(planned: Planned, grid: tuple[Trigger, datetime, datetime] | None) -> Planned:
    if grid is None or grid[:2] != (planned.trigger, planned.anchor):
        return planned
    return planned._replace(after=grid[2])


def _due_by(now: datetime, slot: datetime, trigger: Trigger, anchor: datetime) -> Sequence[datetime]:
    """Give the first, the last but one and the last: after a leap of the clock there may be billions between."""
    second = trigger.next_after(slot, anchor)
    if second is None or second > now:
        return (slot,)
    last = trigger.passed(slot - TICK, now, anchor).last or second
    before = trigger.passed(slot - TICK, last - TICK, anchor).last or slot
    return (slot, last) if before <= slot else (slot, before, last)


class PlanTrigger(BaseTrigger):  # type: ignore[misc]  # the library ships no types
    """The whole plan as the trigger of the one job that APScheduler is given."""

    def __init__(self, plan: Plan, is_behind: Callable[[], bool]) -> None:
        self._plan = plan
        self._is_behind = is_behind
        self._waits = False
        #: What came due and was not handed on yet.
        self.due: list[Due] = []
        self._planned: Iterable[Planned] | None = None

    def follow(self, planned: Iterable[Planned]) -> None:
        """Go by a later plan from the next look on, which is the clock's own: between two slots, not within one."""
        self._planned = planned

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Give the plan's next instant; what is due by now is taken out first, so it is never asked for again."""
        planned, self._planned = self._planned, None
        if planned is not None:
            self._plan = self._plan.followed_by(planned)
        if previous_fire_time is None:
            return self._plan.next
        if self._must_wait():
            # What passes meanwhile is missed, as in any stall: one line for a row of slots, and memory has an end.
            return now + _BREATH
        self.due += self._plan.take(now)
        return self._plan.next

    def _must_wait(self) -> bool:
        waited, self._waits = self._waits, self._is_behind()
        if self._waits and not waited:
            log.warning("more comes due than history can be written of; slots will be missed")
        return self._waits


class PlanExecutor(BaseExecutor):  # type: ignore[misc]  # as above
    """Runs nothing: passes the due slots on.

    `submit_job` is the extension point the library documents for executors; replacing it whole keeps its own counting
    of instances and its listeners out of the way, which work differently under each scheduler.
    """

    def __init__(self, trigger: PlanTrigger, emit: Emit) -> None:
        super().__init__()
        self._trigger = trigger
        self._emit = emit

    def submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:  # noqa: ARG002 - untyped library
        """Hand on what is due."""
        due, self._trigger.due = self._trigger.due, []
        if due:
            self._emit(due)

    def _do_submit_job(self, *_: object) -> None:
        raise AssertionError("submit_job never calls this")


class Clockwork:
    """A source whose slots come from one APScheduler scheduler."""

    def __init__(
        self, scheduler: BaseScheduler, planned: Iterable[Planned], is_behind: Callable[[], bool] = lambda: False
    ) -> None:
        self._scheduler = scheduler
        self._trigger = PlanTrigger(Plan(planned), is_behind)

    def start(self, emit: Emit) -> None:
        """Begin; must be called on the main loop."""
        self._scheduler.add_executor(PlanExecutor(self._trigger, emit))
        self._add_plan()
        self._scheduler.start()

    def replan(self, planned: Iterable[Planned]) -> None:
        """Go by these jobs from now on; of one whose grid stays the same no slot is lost and none comes twice."""
        self._trigger.follow(list(planned))
        # Due at once, so that the clock looks at the plan again; one that was at its end is there no more.
        self._add_plan(replace_existing=True, next_run_time=datetime.now(timezone.utc))

    def stop(self) -> None:
        """Emit nothing more; runs are the engine's business, so there is nothing to wait for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _add_plan(self, **how: Any) -> None:  # Any: as APScheduler takes it
        # The library's defaults drop slots: one second of grace, and folding that nobody is told of.
        self._scheduler.add_job(
            _slots, self._trigger, id="plan", misfire_grace_time=None, coalesce=False, max_instances=1, **how
        )


def _slots() -> None:
    """Stand where APScheduler wants a function."""
