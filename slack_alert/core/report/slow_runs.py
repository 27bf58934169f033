"""How long a job's runs usually take, and which of them took longer than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta

from slack_alert.core.units.humanize import spoken

#: A shorter run is never worth a word.
BRIEF = timedelta(seconds=1)
#: So many runs before it say what is usual, and so many must be known.
WINDOW = 20
KNOWN = 5
#: Beyond so many times the usual a run took longer than that.
FACTOR = 1.2


def nearest_rank(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return the smallest of what is ordered that at least so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def usual(durations: Iterable[timedelta]) -> timedelta | None:
    """Return the median of the last ones; None while too few are known."""
    last = sorted(deque(durations, WINDOW))
    return nearest_rank(last, 50) if len(last) >= KNOWN else None


def is_longer(duration: timedelta, than: timedelta | None) -> bool:
    """Return whether a run took longer than usual."""
    return than is not None and duration > BRIEF and duration > FACTOR * than


def remark(duration: timedelta, than: timedelta) -> str:
    """Say that it took longer than usual."""
    return f"took {spoken(duration)}, usually {spoken(than)}"
