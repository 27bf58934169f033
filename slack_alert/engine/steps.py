"""The wall clock against time as it passes: a machine's clock may be set back while the program runs."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.engine.ports import Clock

#: Less than this is how a clock is kept right; nothing stands still for longer than that because of it.
_TOLERATED = timedelta(seconds=2)


class Steps:
    """Notices when the wall clock was set back since it was last asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = (clock.now(), clock.monotonic())

    def back(self) -> timedelta | None:
        """Give how far the clock went back; None where it did not."""
        (wall, passed), self._at = self._at, (self._clock.now(), self._clock.monotonic())
        step = timedelta(seconds=self._at[1] - passed) - (self._at[0] - wall)
        return step if step > _TOLERATED else None
