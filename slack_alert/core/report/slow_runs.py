"""The usual duration of a job's runs, and which runs are slow; shared by the reports and the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta

#: A shorter run is never slow.
BRIEF = timedelta(seconds=1)
#: Number of former runs that define the usual duration, and how many of them must be known.
WINDOW = 20
KNOWN = 5
#: A run is slow if it took longer than this multiple of the usual duration.
FACTOR = 1.2


def nearest_rank(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return a percentile of ordered durations by the nearest rank: the least that `percent` of them do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def usual(durations: Iterable[timedelta]) -> timedelta | None:
    """Return the median of the last durations, or None if too few are known."""
    last = sorted(deque(durations, WINDOW))
    return nearest_rank(last, 50) if len(last) >= KNOWN else None


def is_longer(duration: timedelta, than: timedelta | None) -> bool:
    """Return whether a duration is longer than usual; never if the usual one, `than`, is unknown."""
    return than is not None and duration > BRIEF and duration > FACTOR * than
