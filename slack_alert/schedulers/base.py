"""What the four schedulers share: our plan behind APScheduler's trigger, and an executor that hands slots on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from slack_alert.engine.ports import Due, Emit
from slack_alert.schedulers.plan import PlannedJob, SlotPlan

log = logging.getLogger(__name__)

#: So long the clock waits for those it feeds, when they are behind.
_BREATH = timedelta(seconds=0.1)
#: What every scheduler is made with; its own zone would only be told in logs, our triggers carry theirs.
OPTIONS: dict[str, Any] = {"timezone": timezone.utc}  # Any: as APScheduler takes it


class PlanTrigger(BaseTrigger):  # type: ignore[misc]  # the library ships no types
    """The whole plan as the trigger of the one job that APScheduler is given."""

    def __init__(self, plan: SlotPlan, is_behind: Callable[[], bool]) -> None:
        self._plan = plan
        self._is_behind = is_behind
        self._waits = False
        #: What came due and was not handed on yet.
        self.due: list[Due] = []
        self._planned: Iterable[PlannedJob] | None = None

    def follow(self, planned: Iterable[PlannedJob]) -> None:
        """Go by a later plan from the next look on, which is the clock's own: between two slots, not within one."""
        self._planned = planned

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the plan's next instant; what is due by now is taken out first, so it is never asked for again."""
        planned, self._planned = self._planned, None
        if planned is not None:
            self._plan = self._plan.followed_by(planned)
        if previous_fire_time is None:
            return self._plan.next
        if self._must_wait():
            # What passes meanwhile is missed, as in any stall: one line for a row of slots, and memory has an end.
            return now + _BREATH
        self.due += self._plan.pop_due(now)
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


class SchedulerSource:
    """A source whose slots come from one APScheduler scheduler."""

    def __init__(
        self, scheduler: BaseScheduler, planned: Iterable[PlannedJob], is_behind: Callable[[], bool] = lambda: False
    ) -> None:
        self._scheduler = scheduler
        self._trigger = PlanTrigger(SlotPlan(planned), is_behind)

    def start(self, emit: Emit) -> None:
        """Begin; must be called on the main loop."""
        self._scheduler.add_executor(PlanExecutor(self._trigger, emit))
        self._add_plan()
        self._scheduler.start()

    def replan(self, planned: Iterable[PlannedJob]) -> None:
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
