"""Since when one address takes nothing of what is due, and why; used by the sender only."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.retry import Fate, Outcome
from slack_alert.core.units.quantities import format_duration

#: So long an address may fail before delivery is not well: a hiccup of the network passes meanwhile.
PATIENCE = timedelta(minutes=1)


class Stall:
    """Remembers the first failure after the last success."""

    __slots__ = ("_is_fault", "_reason", "_since")

    def __init__(self) -> None:
        self._since: float | None = None
        self._reason = ""
        #: Whether the last failure was an error of the program, which does not pass by itself as a network's does.
        self._is_fault = False

    def note(self, outcome: Outcome, now: float) -> None:
        """Count a failure; where the service asked to wait, from the end of that wait on."""
        if outcome.fate in (Fate.DESTINATION, Fate.PAYLOAD, Fate.CREDENTIALS):
            self.end()  # It answers; what it refuses is told on its own.
            return
        if self._since is None:
            asked = outcome.after if outcome.fate is Fate.WAIT else None
            self._since = now + (asked or timedelta()).total_seconds()
        self._reason = outcome.reason or "no answer"
        self._is_fault = outcome.fate is Fate.FAULT

    def end(self) -> None:
        """Forget it: something was accepted, or nothing is left to send."""
        self._since = None
        self._is_fault = False

    def told(self, now: float) -> str | None:
        """Say how long nothing was accepted, and why; None while that is no reason to worry."""
        since = self._since  # Any thread asks.
        if since is None or (now - since < PATIENCE.total_seconds() and not self._is_fault):
            return None
        minutes = timedelta(minutes=(now - since) // 60)
        return f"nothing accepted{f' for {format_duration(minutes)}' if minutes else ''}: {self._reason}"
