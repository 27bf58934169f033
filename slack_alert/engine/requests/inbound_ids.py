"""The ids of what came in from chats: services send the same thing again, and by several doors."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

#: How long an id is remembered.
REMEMBERED = timedelta(days=1)


class InboundIds:
    """Remembers ids for a day; used on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: When each was claimed, oldest first.
        self._claimed: dict[str, datetime] = {}

    def restore(self, claimed: Mapping[str, datetime]) -> None:
        """Remember what a former process has claimed, oldest first."""
        with self._lock:
            self._claimed = {**claimed, **self._claimed}

    def claim(self, ids: Collection[str], now: datetime) -> bool:
        """Return whether none of the ids was claimed within a day; then they are claimed now."""
        with self._lock:
            if any(one in self._claimed and now - self._claimed[one] <= REMEMBERED for one in ids):
                return False
            for one in ids:  # To the end, as they are the newest now.
                self._claimed.pop(one, None)
                self._claimed[one] = now
            while self._claimed and now - self._claimed[oldest := next(iter(self._claimed))] > REMEMBERED:
                del self._claimed[oldest]
            return True
