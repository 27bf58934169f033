"""List what ran."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from slack_alert.engine.batches import HistoryLine
from slack_alert.engine.ports import Reader
from slack_alert.operations.job_lookup import JobLookup


def history(
    said: str | None, reader: Reader, lookup: JobLookup, *, since: datetime | None, limit: int | None
) -> Iterable[HistoryLine]:
    """Return the newest lines of the jobs that match, oldest first; None stands for all jobs."""
    names = lookup.recorded(said, reader.snapshot())
    if names is None or len(names) == 1:
        return reader.history(job=names[0] if names else None, since=since, limit=limit)
    wanted = frozenset(names)
    found = (line for line in reader.history(job=None, since=since, limit=None) if line.record.binding in wanted)
    return found if limit is None else deque(found, maxlen=limit)
