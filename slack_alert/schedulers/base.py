"""What the four schedulers share: our triggers behind APScheduler's, and an executor that hands slots on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from slack_alert.core.triggers import Trigger

Emit = Callable[[str, Sequence[datetime]], None]

#: What every scheduler is made with; its own zone would only be told in logs, our triggers carry theirs.
OPTIONS: dict[str, Any] = {"timezone": timezone.utc}  # Any: as APScheduler takes it


@dataclass(frozen=True, slots=True)
class Planned:
    """A job as the clock needs it."""

    name: str
    trigger: Trigger
    #: Where the grid of its intervals starts.
    anchor: datetime
    #: Slots up to here were accounted for.
    after: datetime


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # the library ships no types
    """Our trigger in APScheduler's clothes."""

    __slots__ = ("_after", "_anchor", "_trigger")

    def __init__(self, planned: Planned) -> None:
        self._trigger = planned.trigger
        self._anchor = planned.anchor
        self._after = planned.after

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:  # noqa: ARG002
        """Give the slot after the former one."""
        return self._trigger.next_after(previous_fire_time or self._after, self._anchor)


class SlotExecutor(BaseExecutor):  # type: ignore[misc]  # as above
    """Runs nothing: passes the due slots on.

    `submit_job` is the extension point the library documents for executors; replacing it whole keeps its own counting
    of instances and its listeners out of the way, which work differently under each scheduler.
    """

    def __init__(self, emit: Emit) -> None:
        super().__init__()
        self._emit = emit

    def submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:  # noqa: ANN401 - untyped library
        """Hand on what is due."""
        self._emit(job.id, run_times)

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:  # noqa: ANN401 - as above
        raise AssertionError("submit_job never calls this")


class Clockwork:
    """A source whose slots come from one APScheduler scheduler."""

    def __init__(self, scheduler: BaseScheduler, planned: Iterable[Planned]) -> None:
        self._scheduler = scheduler
        self._planned = planned

    def start(self, emit: Emit) -> None:
        """Begin; must be called on the main loop."""
        self._scheduler.add_executor(SlotExecutor(emit))
        for planned in self._planned:
            # The library's defaults drop slots: one second of grace, and folding that nobody is told of.
            self._scheduler.add_job(
                _slot,
                SlotTrigger(planned),
                id=planned.name,
                misfire_grace_time=None,
                coalesce=False,
                max_instances=1,
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Emit nothing more; runs are the engine's business, so there is nothing to wait for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _slot() -> None:
    """Stand where APScheduler wants a function."""
