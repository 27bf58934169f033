"""A clock for tests: it stands still until it is told to go on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from slack_alert.engine.simulation.doubles import VirtualClock

#: Where time begins in tests that do not say: a Monday, 09:00 UTC.
MONDAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


class FakeClock(VirtualClock):
    """The engine's clock in the hands of a test; whoever sleeps on it lets the time pass at once."""

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
        """Let time pass; return the instant it is then. Raise ValueError for a step back."""
        step = forwards(by, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        self.set(self.now() + step)
        return self.now()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and whatever else waits on the loop take its turn."""
        self.advance(seconds=seconds)
        await asyncio.sleep(0)


def forwards(by: timedelta, **units: float) -> timedelta:
    """Sum up a step in time; raise ValueError for one back."""
    step = by + timedelta(**units)
    if step < timedelta():
        raise ValueError(f"time passes forwards only, not by {step.total_seconds():g} seconds")
    return step
