"""How often a rule answers: so many events at most in a time that goes with the last of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.quantities import format_duration, parse_duration

_WRITTEN = lazy_pattern(
    r"\s*(\d{1,9})\s*(?:per|/|in)\s*(.+)",
)
_HINT = 'Write at_most="3 per 10m".'


class Rate(Struct, frozen=True):
    """So many events in a time."""

    count: int
    window: timedelta

    @classmethod
    def parse(cls, written: object) -> Rate:
        """Return the rate that a text such as `3 per 10m` describes; raise BadValue for others."""
        found = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if found is None:
            raise BadValue("this must say how many, and in which time", hint=_HINT)
        count, window = int(found[1]), parse_duration(found[2])
        if not count or not window:
            raise BadValue("this must be one at least, in some time", hint=_HINT)
        return cls(count, window)

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.count} per {format_duration(self.window)}"

    def since(self, answered: Sequence[datetime], at: datetime) -> tuple[datetime, ...]:
        """Return those of the answered events that count at a moment; the newest ones, no more than are allowed."""
        return tuple(each for each in answered if at - self.window < each <= at)[-self.count :]

    def until(self, answered: Sequence[datetime], at: datetime) -> datetime | None:
        """Return when an event is answered again, if one is not at this moment; None: it is."""
        counted = self.since(answered, at)
        return counted[0] + self.window if len(counted) >= self.count else None
