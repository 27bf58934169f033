"""The real time; the only place that asks the machine for it."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let other things happen meanwhile."""
        import asyncio  # An isolated process asks for the time only, and starts a fifth faster without.

        await asyncio.sleep(seconds)
