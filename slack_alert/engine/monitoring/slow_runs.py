"""Notices runs that took longer than usual, at no cost for jobs whose runs take less than a second."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta, timezone
from threading import Lock

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.reasons import reason_text
from slack_alert.core.report.slow_runs import BRIEF, WINDOW, is_longer, usual
from slack_alert.core.structs import replace
from slack_alert.engine.ports import HistoryReader

log = logging.getLogger(__name__)

_NOTHING = timedelta()


class SlowRunDetector:
    """Keeps the durations of the last runs, of jobs that ever took longer than a moment."""

    def __init__(
        self,
        past: Callable[[str], Iterable[timedelta]] = lambda _: (),
        stood_still: Callable[[timedelta], timedelta] = lambda _: _NOTHING,
    ) -> None:
        #: Returns the durations of a job's last runs, oldest first; called once for a job.
        self._past = past
        #: Returns how much of a span that ends now the whole program stood still.
        self._stood_still = stood_still
        self._lock = Lock()
        self.kept: dict[str, deque[timedelta]] = {}

    def record_run(self, run: Run, result: Result) -> Result:
        """Record the duration of a run that ends now, and add a remark where it took longer than usual.

        Return its result without the time in which the program stood still.
        """
        if result.failure is None or result.failure.verdict is not Verdict.TIMED_OUT:
            result = result._replace(duration=result.duration - self._stood_still(result.duration))
        duration = result.duration
        kept = self.kept.get(run.binding)
        if kept is None:
            kept = self._begin(run.binding)
        than = usual(kept) if duration > BRIEF else None
        kept.append(duration)
        if than is not None and is_longer(duration, than):
            _remark(run, duration, than)
        return result

    def _begin(self, job: str) -> deque[timedelta]:
        with self._lock:  # The past may not be read twice at the same time.
            return self.kept.setdefault(job, deque(self._past(job), WINDOW))


def durations_of(reader: HistoryReader, job: str) -> list[timedelta]:
    """Return the durations of a job's last runs, oldest first; none where history cannot be read."""
    with suppress(SlackAlertError):
        lines = list(reader.history(job=job, since=None, limit=WINDOW))
        return [line.record.duration for line in lines if line.record.duration is not None]
    return []


def _remark(run: Run, duration: timedelta, than: timedelta) -> None:
    remark = Reason(ReasonCode.SLOW, length=duration, usual=than)
    run.progress.posts = replace(run.posts, slow=reason_text(remark, timezone.utc, run.slot))  # It has no times.
    run.progress.remarks += (remark,)
    took = {"seconds": round(duration.total_seconds(), 3), "usually": round(than.total_seconds(), 3)}
    log.warning("took longer than usual", extra={"job": run.binding, "run": run.id, **took})
