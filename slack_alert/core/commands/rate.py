"""How many commands a person may ask for within a time."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

#: Beyond so many people, those who asked for nothing lately are forgotten.
_MANY = 1000


class Rate:
    """A sliding window for each person; what is refused is not counted."""

    def __init__(self, limit: int, period: timedelta = timedelta(minutes=1)) -> None:
        #: 0: no limit.
        self._limit = limit
        self._period = period
        self._taken: dict[str, deque[datetime]] = {}

    def take(self, now: datetime, person: str) -> bool:
        """Return whether a person may ask for one more command now, and count it if so."""
        if self._limit == 0:
            return True
        taken = self._recent(now, person)
        if len(taken) >= self._limit:
            return False
        taken.append(now)
        return True

    def wait(self, now: datetime, person: str) -> timedelta:
        """Return how long it is until a person may ask again; nothing where he may now."""
        taken = self._recent(now, person)
        is_full = self._limit != 0 and len(taken) >= self._limit
        return taken[0] + self._period - now if is_full else timedelta()

    def _recent(self, now: datetime, person: str) -> deque[datetime]:
        if len(self._taken) > _MANY:
            self._taken = {each: taken for each, taken in self._taken.items() if self._is_recent(now, taken[-1])}
        taken = self._taken.get(person, deque())
        # A clock that was put back has left instants of the future: nobody waits for them.
        recent = deque(at for at in taken if self._is_recent(now, at))
        if recent or person in self._taken:
            self._taken[person] = recent
        return self._taken.setdefault(person, recent)

    def _is_recent(self, now: datetime, at: datetime) -> bool:
        return now - self._period < at <= now
