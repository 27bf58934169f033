"""The budget of edits: how often messages of running commands may be edited, because the whole app has one limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

#: Slack allows some 50 a minute for the whole app (Tier 3); the rest is left for other edits.
A_MINUTE = 40
WINDOW = timedelta(minutes=1)
#: Least time between two edits of a message.
LEAST = timedelta(seconds=2)


class EditBudget:
    """Decides which messages may be edited now: one budget for all runs, fair among them.

    The first edit and the last one of a run always go, and spend. What changes in between is edited when the budget
    allows it, with the newest state; a change that another one replaced is never told.
    """

    def __init__(self, a_minute: int = A_MINUTE, least: timedelta = LEAST) -> None:
        self._most = a_minute
        self._least = least
        #: When which run was edited, within the last minute.
        self._spent: deque[tuple[datetime, int]] = deque()
        #: When the runs that have not ended were edited last.
        self._edited: dict[int, datetime] = {}
        #: Runs whose message is not as they are, in the order in which that began.
        self._changed: dict[int, None] = {}
        self._latest = datetime.min.replace(tzinfo=timezone.utc)

    def due(self, now: datetime, changed: Iterable[int] = ()) -> list[int]:
        """Return the runs whose messages are to be edited now; it counts as done."""
        self._set_clock(now)
        self._changed |= dict.fromkeys(changed)
        first = [run for run in self._changed if run not in self._edited]
        for run in first:
            self._spend(run, now)
        return [*first, *self._within_budget(now)]

    def end(self, run: int, now: datetime) -> None:
        """Count the last edit of a run, and forget it: it must not be said to have changed again."""
        self._set_clock(now)
        self._spend(run, now)
        del self._edited[run]

    def next_due(self, now: datetime) -> datetime | None:
        """Return when `due` will have something to return even if nothing changes; None if all is told."""
        if not self._changed:
            return None
        pause = self._pause()
        free = self._spent[-self._most][0] + WINDOW if len(self._spent) >= self._most else now
        return max(now, free, min(self._edited.get(run, now - pause) + pause for run in self._changed))

    def _within_budget(self, now: datetime) -> list[int]:
        pause = self._pause()
        rested = [run for run in self._changed if now - self._edited[run] >= pause]
        # Who waits longest is first; sorting keeps the order of those edited at the same time.
        chosen = sorted(rested, key=self._edited.__getitem__)[: max(0, self._most - len(self._spent))]
        for run in chosen:
            self._spend(run, now)
        return chosen

    def _spend(self, run: int, now: datetime) -> None:
        self._spent.append((now, run))
        self._changed.pop(run, None)
        self._edited[run] = now

    def _pause(self) -> timedelta:
        """Return the time between two edits of a run: the budget, shared by all that want to be edited."""
        lively = self._changed.keys() | {run for _, run in self._spent if run in self._edited}
        return max(self._least, WINDOW * len(lively) / self._most)

    def _set_clock(self, now: datetime) -> None:
        """Forget what is older than the window; a clock that was set back makes nobody wait for the old time."""
        while self._spent and self._spent[0][0] <= now - WINDOW:
            self._spent.popleft()
        if self._latest > now:
            self._spent = deque((min(at, now), run) for at, run in self._spent)
            self._edited = {run: min(at, now) for run, at in self._edited.items()}
        self._latest = now
