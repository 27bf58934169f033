"""Parse times as people type them: `2026-11-21T09:00`, `9:00`, `2h` (ago)."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo

from slack_alert.core.errors import BadValue
from slack_alert.core.units.local_time import DAY, YEARS, first_instant
from slack_alert.core.units.quantities import LONGEST, parse_duration

_FORMS = "Write 2026-11-21, 2026-11-21T09:00 (with or without an offset), 9:00, now, or a duration such as 2h or 1d."

_ENDS = "Write 9:00 for the next one, or 2026-11-23T09:00; --for takes a duration such as 2h."


def parse_moment(text: str, *, zone: tzinfo, now: datetime, ahead: bool = False) -> datetime:
    """Return a moment as an aware instant in UTC; raise BadValue for any other text.

    A time without an offset is in `zone`; a duration is before now, or after it if `ahead`.
    """
    said = text.strip()
    if said == "now":
        return now
    if (local := _local(said, now.astimezone(zone), zone)) is not None:
        if local.year not in YEARS:
            wrong = f"{said!r} is out of range: the years {YEARS[0]} to {YEARS[-1]} are understood."
            raise BadValue(wrong, hint=_FORMS)
        return local.astimezone(timezone.utc)
    return now + _distance(said) * (1 if ahead else -1)


def parse_end(text: str, *, zone: tzinfo, now: datetime) -> datetime:
    """Return a future moment as an aware instant in UTC; a time of day means the next one.

    Raise BadValue for a past moment, for more than ten years ahead, or for a duration.
    """
    said = text.strip()
    today = now.astimezone(zone)
    end = now if said == "now" else _local(said, today, zone, forms=_ENDS)
    if end is None:
        raise BadValue(f"{said!r} is not a time.", hint=_ENDS)
    if end <= now and _is_time_of_day(said):
        end = first_instant(datetime.combine(today.date() + DAY, _time_of_day(said, _ENDS)), zone)
    if end <= now:
        raise BadValue(f"{said!r} has passed.", hint=_ENDS)
    if end - now > LONGEST:
        raise BadValue(f"{said!r} is too far ahead: ten years are the most.", hint=_ENDS)
    return end.astimezone(timezone.utc)


def _is_time_of_day(said: str) -> bool:
    return ":" in said and len(said) <= len("09:00:00")


def _time_of_day(said: str, forms: str) -> time:
    try:
        return time.fromisoformat(said.rjust(5, "0") if said.count(":") == 1 else said)
    except ValueError:
        raise BadValue(f"{said!r} is not a time of day.", hint=forms) from None


def _local(said: str, today: datetime, zone: tzinfo, *, forms: str = _FORMS) -> datetime | None:
    if _is_time_of_day(said):
        return datetime.combine(today.date(), _time_of_day(said, forms), zone)
    try:
        at_day = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at_day if at_day.tzinfo else at_day.replace(tzinfo=zone)


def _distance(said: str) -> timedelta:
    try:
        return parse_duration(said)
    except BadValue as error:
        wrong = "is out of range: ten years are the most" if "ten years" in str(error) else "is not a time"
        raise BadValue(f"{said!r} {wrong}.", hint=_FORMS) from None
