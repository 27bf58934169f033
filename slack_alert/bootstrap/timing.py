"""What the clock is given: the jobs with their triggers, and the pulse that proves that it ticks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from slack_alert.core.schedule.triggers import parse_trigger
from slack_alert.engine.app.liveness import EVERY, PULSE_NAME
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Source

if TYPE_CHECKING:
    from slack_alert.schedulers import Planned
    from slack_alert.settings import Settings


class Timetable:
    """Makes the source of slots, and tells it of other jobs later."""

    def __init__(self, settings: Settings, engine: Engine, *, is_behind: Callable[[], bool]) -> None:
        self._settings = settings
        self._engine = engine
        #: Whether so much waits to be written that nothing more should come due.
        self._is_behind = is_behind
        #: Where the grid of the pulse starts.
        self._begun: datetime | None = None

    def source(self, now: datetime) -> Source:
        """Make a source for what the engine has now."""
        # The clock's library is imported when there is something to time, not for every short command.
        from slack_alert.schedulers import make_source

        self._begun = now
        return make_source(self._settings.scheduler, self._planned(now), is_behind=self._is_behind)

    def replan(self, source: Source, now: datetime) -> None:
        """Tell a source of what the engine has now."""
        from slack_alert.schedulers import Clockwork

        assert isinstance(source, Clockwork), "it was made here"
        source.replan(self._planned(now))

    def _planned(self, now: datetime) -> list[Planned]:
        from slack_alert.schedulers import Planned

        beat = parse_trigger({"seconds": EVERY.total_seconds()}, zone=self._settings.timezone, name=PULSE_NAME)
        assert beat is not None, "seconds make a trigger"
        jobs = self._engine.jobs()
        planned = [
            Planned(hot.job.name, hot.job.trigger, hot.anchor, max(now, hot.last or now), hot.moved) for hot in jobs
        ]
        return [*planned, Planned(PULSE_NAME, beat, self._begun or now, now)]
