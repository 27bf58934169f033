"""Lines of history, recorded or simulated, as JSON and for people."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from slack_alert.core.model.record import Record


def record_json(record: Record, zone: tzinfo) -> dict[str, object]:
    """Give what `simulate --json` and `history --json` have in common; instants in the configured zone."""
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
    """Write an instant as JSON has it."""
    return at.astimezone(zone).isoformat() if at is not None else None


def seconds(duration: timedelta | None) -> float | None:
    """Write a duration as JSON has it."""
    return duration.total_seconds() if duration is not None else None
