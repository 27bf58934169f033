"""Notices which runs took longer than usual; it costs nothing for a job whose runs are over in a second."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from threading import Lock

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model import Run
from slack_alert.core.pace import BRIEF, WINDOW, is_longer, remark, usual
from slack_alert.engine.ports import Reader

log = logging.getLogger(__name__)


class Paces:
    """Keeps how long the last runs took, of jobs that ever took more than a moment."""

    def __init__(self, past: Callable[[str], Iterable[timedelta]] = lambda _: ()) -> None:
        #: Tells how long the last runs of a job took, oldest first; asked once for each.
        self._past = past
        self._lock = Lock()
        self.kept: dict[str, deque[timedelta]] = {}

    def look(self, run: Run, duration: timedelta) -> None:
        """Take note of a run, and remark it where it took longer than usual."""
        kept = self.kept.get(run.binding)
        if kept is None:
            kept = self._begin(run.binding)
        than = usual(kept) if duration > BRIEF else None
        kept.append(duration)
        if than is None or not is_longer(duration, than):
            return
        run.slow = remark(duration, than)
        run.remark = "; ".join(filter(None, (run.remark, run.slow)))
        took = {"seconds": round(duration.total_seconds(), 3), "usually": round(than.total_seconds(), 3)}
        log.warning("took longer than usual", extra={"job": run.binding, "run": run.id, **took})

    def _begin(self, job: str) -> deque[timedelta]:
        with self._lock:  # Who tells of the past may not be asked twice at once.
            return self.kept.setdefault(job, deque(self._past(job), WINDOW))


def durations_of(reader: Reader, job: str) -> list[timedelta]:
    """Read how long the last runs of a job took, oldest first; who cannot read them begins anew."""
    with suppress(SlackAlertError):
        lines = list(reader.history(job=job, since=None, limit=WINDOW))
        return [line.record.duration for line in lines if line.record.duration is not None]
    return []
