"""Where and when a history begins, whoever's machine it is lived through on."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone

#: A Monday, 09:00 in Berlin.
START = datetime(2026, 11, 16, 8, tzinfo=timezone.utc)
_OF_THE_USER = ("SLACK_", "XDG_", "COLUMNS", "NO_COLOR", "TERM")


def settle(home: str) -> None:
    """Take away what this machine and its user have said."""
    for name in [name for name in os.environ if name.startswith(_OF_THE_USER) or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update({"HOME": home, "TZ": "Europe/Berlin", "LOGNAME": "ann", "USER": "ann", "COLUMNS": "100"})
    time.tzset()


def memory() -> str | None:
    """Return a place where nobody waits for a disk, if there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
