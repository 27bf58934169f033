"""Notice that the machine's time zone changed, while the program still uses the one it was started with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

from slack_alert.settings.timezones import machine_zone

_MONTH = timedelta(days=30)


class ZoneWatch:
    """Polls the machine's time zone; while it is unchanged, a poll costs three system calls."""

    def __init__(self, zone: tzinfo, environ: Mapping[str, str], *, etc: Path = Path("/etc")) -> None:
        #: The zone reported last; at first that of the start.
        self._zone = zone
        self._environ = environ
        self._etc = etc
        self._progress = self._look()

    def changed(self) -> tzinfo | None:
        """Return the machine's zone where it changed since the call before, else None.

        It may have changed back to the zone of the start.
        """
        marks = self._look()
        if marks == self._progress:
            return None
        self._progress = marks
        found = machine_zone(self._environ, self._etc).zone or timezone.utc
        if is_same_zone(found, self._zone):
            return None
        self._zone = found
        return found

    def _look(self) -> tuple[object, ...]:
        localtime = self._etc / "localtime"
        return _mark(localtime, is_followed=False), _mark(localtime), _mark(self._etc / "timezone")


def is_same_zone(one: tzinfo, other: tzinfo) -> bool:
    """Return whether two zones have the same name and, as a file may have none, the same offsets all year round."""
    year = datetime(datetime.now(timezone.utc).year, 1, 15, tzinfo=timezone.utc)
    months = [year + number * _MONTH for number in range(12)]
    return str(one) == str(other) and all(_offset(one, month) == _offset(other, month) for month in months)


def _offset(zone: tzinfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _mark(path: Path, *, is_followed: bool = True) -> tuple[int, ...] | None:
    try:
        found = os.stat(path, follow_symlinks=is_followed)  # noqa: PTH116 - Path.stat creates objects at each poll
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
