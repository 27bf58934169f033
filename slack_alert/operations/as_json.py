"""Lay out what operations return as JSON, for the command line and for the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from slack_alert.core.model.record import Record
from slack_alert.core.pipeline.reasons import record_reasons
from slack_alert.core.structs import asdict

if TYPE_CHECKING:
    from slack_alert.core.bindings import Binding
    from slack_alert.core.policy.incidents import Incident
    from slack_alert.engine.batches import HistoryLine
    from slack_alert.operations.jobs import JobLine
    from slack_alert.operations.sensors import SensorVitals
    from slack_alert.operations.status import DoorVitals, Vitals


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


def job_json(bindings: Sequence[Binding]) -> dict[str, object]:
    """Return a function as JSON; of several bindings the first counts."""
    first = bindings[0]
    return {
        "name": first.name,
        "file": first.action.file,
        "line": first.action.line,
        "kind": first.kind,
        "trigger": trigger(bindings),
        "options": dict(first.options),
    }


def trigger(bindings: Sequence[Binding]) -> str:
    """Return the triggers of a function as text."""
    return ", ".join(binding.shown for binding in bindings)


def job_line_json(line: JobLine, zone: tzinfo) -> dict[str, object]:
    """Return a job of `jobs --json`."""
    return {
        **job_json(line.bindings),
        "next_run": instant(line.outlook.next_run, zone),
        "last_run": instant(line.last_run, zone),
        "state": str(line.outlook.state),
        "paused_until": instant(line.outlook.paused_until, zone),
        "alerts": line.outlook.alerts,
        "incident": _incident_json(line.outlook.incident, zone),
    }


def _incident_json(incident: Incident | None, zone: tzinfo) -> dict[str, object] | None:
    if incident is None:
        return None
    return {
        "since": instant(incident.since, zone),
        "alerts": incident.count,
        "acknowledged_by": incident.acknowledged_by or None,
        "acknowledged_at": instant(incident.acknowledged_at, zone),
    }


def history_json(line: HistoryLine, zone: tzinfo) -> dict[str, object]:
    """Return a line of `history --json`."""
    record = line.record
    return {
        **record_json(record, zone),
        "run": record.run or None,
        "started": instant(record.started, zone),
        "duration": seconds(record.duration),
        "error": record.error,
        "printed": record.printed,
        "delivery": line.delivery,
        "attempts": line.attempts,
        "receipt": line.receipt,
        "asked_by": record.asked_by,
        "reason": record_reasons(record, zone) or None,
        "numbers": dict(record.numbers) if record.numbers is not None else None,
        "cpu": seconds(record.usage.cpu) if record.usage is not None else None,
        "memory": record.usage.memory if record.usage is not None else None,
    }


def status_json(vitals: Vitals, zone: tzinfo) -> dict[str, object]:
    """Return the document of `status --json`."""
    store = vitals.store
    return {
        "alive": vitals.is_alive,
        "pid": store.pid,
        "clock": {
            "ok": vitals.is_turning, "at": instant(vitals.at, zone), "still_since": instant(vitals.still_since, zone),
        },
        "delivery": {"ok": vitals.is_delivering, "refused": list(vitals.refused), "stalled": list(vitals.stalled)},
        "queue": {
            "ok": not store.dead, "queued": store.queued, "dead": store.dead, "died": store.died, "runs": vitals.runs,
        },
        "pool": {"ok": vitals.is_roomy, **asdict(vitals.pool)},
        "heartbeat": {"ok": vitals.heartbeat is None, "error": vitals.heartbeat},
        "database": {
            "ok": store.fault is None, "path": str(store.path), "made": store.is_made, "error": store.fault,
        },
        **({"sensors": [_sensor_json(each, zone) for each in vitals.sensors]} if vitals.sensors else {}),
        **({"doors": [_door_json(door, zone) for door in vitals.doors]} if vitals.doors else {}),
    }  # fmt: skip


def _door_json(door: DoorVitals, zone: tzinfo) -> dict[str, object]:
    return {
        "ok": door.is_open, "name": door.name, "since": instant(door.since, zone), "reason": door.reason or None,
    }  # fmt: skip


def _sensor_json(sensor: SensorVitals, zone: tzinfo) -> dict[str, object]:
    return {
        "ok": sensor.phase in ("running", "exited", "paused") and not sensor.is_held_back, "name": sensor.name,
        "state": str(sensor.phase), "pid": sensor.pid, "since": instant(sensor.since, zone),
        "restarts": sensor.restarts, "events": sensor.events, "failure": sensor.failure or None,
    }  # fmt: skip
