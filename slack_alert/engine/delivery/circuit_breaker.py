"""The circuit breaker of a channel: stops sending to a service that refuses, and probes it as `core/retry` says."""

from __future__ import annotations

import asyncio

from slack_alert.engine.delivery.lane import Lane


class CircuitBreaker:
    """Stops the lanes of a channel whose credentials are refused, except for a single lane that probes."""

    def __init__(self) -> None:
        #: Whether the lanes wait.
        self.is_tripped = False
        self._prober: Lane | None = None
        self._vacant = asyncio.Event()
        self._vacant.set()

    async def wait(self, lane: Lane) -> None:
        """Wait until the channel accepts messages again, or until this lane may probe."""
        while self._prober not in (None, lane):
            await self._vacant.wait()
        if self.is_tripped:
            self._probe_with(lane)

    def trip(self, lane: Lane) -> bool:
        """Stop the other lanes; return whether they were not stopped before."""
        is_new = not self.is_tripped
        self.is_tripped = True
        if self._prober is None:
            self._probe_with(lane)
        return is_new

    def reset(self) -> None:
        """Let all lanes send."""
        if self.is_tripped:
            self.is_tripped = False
            self._vacate()

    def leave(self, lane: Lane) -> None:
        """Let another lane probe, as this lane has nothing left to send."""
        if self._prober is lane:
            self._vacate()

    def _probe_with(self, lane: Lane) -> None:
        self._prober = lane
        self._vacant.clear()

    def _vacate(self) -> None:
        self._prober = None
        self._vacant.set()
