"""A clock for tests that moves only when it is advanced."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone, tzinfo

from slack_alert.core.units.local_time import first_instant, parse_slot, wall_of
from slack_alert.engine.simulation.doubles import VirtualClock

#: The default start of time in tests: a Monday, 09:00 UTC.
MONDAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


class FakeClock(VirtualClock):
    """An engine's clock that a test moves; a sleep on it advances it at once."""

    def __init__(self, start: datetime = MONDAY) -> None:
        super().__init__(start)

    def advance(
        self,
        by: timedelta = timedelta(),
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Advance the clock; return the new instant. Raise ValueError for a step back."""
        step = forward_step(by, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        self.set(self.now() + step)
        return self.now()

    async def sleep(self, seconds: float) -> None:
        """Advance the clock at once, and let other tasks of the loop run."""
        self.advance(seconds=seconds)
        await asyncio.sleep(0)


def forward_step(by: timedelta, **units: float) -> timedelta:
    """Return the sum of a step in time; raise ValueError for a step back."""
    step = by + timedelta(**units)
    if step < timedelta():
        raise ValueError(f"time passes forwards only, not by {step.total_seconds():g} seconds")
    return step


def start_of(start: datetime | str | None, zone: tzinfo) -> datetime:
    """Return the start of a test as an instant; a time without an offset is local to `zone`."""
    if isinstance(start, str):
        return parse_slot(start, zone)
    wall = wall_of(MONDAY, timezone.utc) if start is None else start
    return first_instant(wall, zone) if wall.tzinfo is None else wall.astimezone(timezone.utc)
