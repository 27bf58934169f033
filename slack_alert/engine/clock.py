"""The machine's clock, by itself because isolated processes import it and nothing else may ask for the time."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class SystemClock:
    """Reads the machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        import asyncio  # An isolated process needs the time only, and starts a fifth faster without asyncio.

        await asyncio.sleep(seconds)
