"""Times as people type them: `2026-11-21T09:00`, `9:00`, `2h` ago."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo

from slack_alert.core.durations import parse_duration
from slack_alert.core.errors import BadValue

_FORMS = "Write 2026-11-21, 2026-11-21T09:00 (with or without an offset), 9:00, now, or a duration such as 2h or 1d."


def parse_moment(text: str, *, zone: tzinfo, now: datetime, ahead: bool = False) -> datetime:
    """Read a moment; what has no offset is in `zone`, a duration is before now (after it where `ahead`).

    Gives an aware instant in UTC. Raises BadValue.
    """
    said = text.strip()
    if said == "now":
        return now
    if (local := _local(said, now.astimezone(zone), zone)) is not None:
        return local.astimezone(timezone.utc)
    return now + _distance(said) * (1 if ahead else -1)


def _local(said: str, today: datetime, zone: tzinfo) -> datetime | None:
    if ":" in said and len(said) <= len("09:00:00"):
        try:
            at = time.fromisoformat(said.rjust(5, "0") if said.count(":") == 1 else said)
        except ValueError:
            raise BadValue(f"{said!r} is not a time of day.", hint=_FORMS) from None
        return datetime.combine(today.date(), at, zone)
    try:
        at_day = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at_day if at_day.tzinfo else at_day.replace(tzinfo=zone)


def _distance(said: str) -> timedelta:
    try:
        return parse_duration(said)
    except BadValue:
        raise BadValue(f"{said!r} is not a time.", hint=_FORMS) from None
