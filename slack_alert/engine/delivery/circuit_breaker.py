"""Stop calling a service that is away, and try it now and then."""

from __future__ import annotations

import asyncio

from slack_alert.engine.delivery.lane import Lane


class CircuitBreaker:
    """Stops every lane of a channel whose credentials are refused; one of them goes on probing."""

    def __init__(self) -> None:
        #: Whether the lanes wait.
        self.is_closed = False
        self._prober: Lane | None = None
        self._vacant = asyncio.Event()
        self._vacant.set()

    async def passage(self, lane: Lane) -> None:
        """Wait until the channel takes messages again, or until it is this lane's turn to probe."""
        while self._prober not in (None, lane):
            await self._vacant.wait()
        if self.is_closed:
            self._probe_with(lane)

    def close(self, lane: Lane) -> bool:
        """Stop the others; tell whether this is new."""
        is_new = not self.is_closed
        self.is_closed = True
        if self._prober is None:
            self._probe_with(lane)
        return is_new

    def open(self) -> None:
        """Let everybody pass."""
        self.is_closed = False
        self._vacate()

    def leave(self, lane: Lane) -> None:
        """Let another lane probe, when this one has nothing left to send."""
        if self._prober is lane:
            self._vacate()

    def _probe_with(self, lane: Lane) -> None:
        self._prober = lane
        self._vacant.clear()

    def _vacate(self) -> None:
        self._prober = None
        self._vacant.set()
