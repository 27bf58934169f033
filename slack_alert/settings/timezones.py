"""Find time zones: a named one, and that of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from slack_alert.core.environment_faults import NO_ZONES, has_zones
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import nearest
from slack_alert.settings.secret import quoted


class MachineZone(Struct, frozen=True):
    """The machine's time zone, or None where it has none, and warnings about its configuration."""

    zone: tzinfo | None
    warnings: tuple[str, ...] = ()


def parse_zone(name: str) -> tzinfo:
    """Return the zone of a name such as Europe/Berlin; raise BadValue for an unknown name."""
    zone = _named(name)
    if zone is None:
        raise BadValue(f"{quoted(name)} is not a time zone", hint=_suggestion(name))
    return zone


def machine_zone(environ: Mapping[str, str], etc: Path) -> MachineZone:
    """Return the machine's zone, from TZ, the link /etc/localtime, /etc/timezone or the file /etc/localtime."""
    wanted = environ.get("TZ", "").strip()
    if not wanted:
        return MachineZone(_first(_of_files(etc)))
    zone = _of_variable(wanted)
    if zone is not None:
        return MachineZone(zone)
    odd = f"TZ: {quoted(wanted)} is not the name of a time zone; it is passed over."
    return MachineZone(_first(_of_files(etc)), (odd,))


def _suggestion(name: str) -> str:
    if not has_zones():
        return NO_ZONES
    meant = nearest(name.replace(" ", "_"), sorted(available_timezones()), likeness=0.75)
    return f"Did you mean {meant}?" if meant else "Write a name such as Europe/Berlin or UTC."


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # A machine without a zone database still knows UTC.
        return timezone.utc if name.upper() == "UTC" else None


def _of_variable(text: str) -> tzinfo | None:
    name = text.removeprefix(":")
    return _of_file(Path(name)) if name.startswith("/") else _named(name)


def _first(zones: Iterator[tzinfo | None]) -> tzinfo | None:
    return next((zone for zone in zones if zone is not None), None)


def _of_files(etc: Path) -> Iterator[tzinfo | None]:
    localtime = etc / "localtime"
    if localtime.is_symlink():
        yield _of_file(localtime)
    yield _of_text(etc / "timezone")
    yield _of_file(localtime)


def _of_file(path: Path) -> tzinfo | None:
    """Return the zone of a file, by the name in its path where there is one, so that messages can show a name."""
    for place in (path, path.resolve()):
        _, found, name = place.as_posix().rpartition("/zoneinfo/")
        zone = _named(name) if found else None
        if zone is not None:
            return zone
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return None


def _of_text(path: Path) -> tzinfo | None:
    try:
        return _named(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
