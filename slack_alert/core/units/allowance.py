"""An allowance: so much at once, and so much in each second from then on."""

from __future__ import annotations


class Allowance:
    """Counts what may still be used; seconds are monotonic."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left = burst
        self._at: float | None = None

    def use(self, amount: float, seconds: float) -> float:
        """Use up to an amount, and return how much of it."""
        self._fill(seconds)
        used = min(amount, self._left)
        self._left -= used
        return used

    def wait(self, amount: float, seconds: float) -> float:
        """Use an amount, and return how many seconds to wait for that."""
        self._fill(seconds)
        self._left -= amount
        return max(0.0, -self._left / self._per_second)

    def _fill(self, seconds: float) -> None:
        if self._at is not None:
            self._left = min(self._burst, self._left + max(0.0, seconds - self._at) * self._per_second)
        self._at = seconds
