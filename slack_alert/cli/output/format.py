"""Lay out instants, durations and records as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from slack_alert.core.model.record import Record


def record_json(record: Record, zone: tzinfo) -> dict[str, object]:
    """Return the JSON fields that `simulate` and `history` share; instants are in the configured zone."""
    line: dict[str, object] = {
        "at": instant(record.slot, zone),
        "job": record.binding,
        "verdict": record.verdict.value,
        "text": record.text or None,
        "to": record.to,
        "alerts": record.alerts,
        "paused_until": instant(record.paused_until, zone),
    }
    if record.count > 1:
        line |= {"count": record.count, "until": instant(record.until, zone)}
    return line


@lru_cache(maxsize=1024)  # Many jobs share a slot.
def instant(at: datetime | None, zone: tzinfo) -> str | None:
    """Return an instant in ISO format."""
    return at.astimezone(zone).isoformat() if at is not None else None


def seconds(duration: timedelta | None) -> float | None:
    """Return a duration in seconds."""
    return duration.total_seconds() if duration is not None else None
