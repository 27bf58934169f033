"""The sections of a configuration file; in some of them the keys are names that people choose."""

from __future__ import annotations

from slack_alert.core.structs import Struct
from slack_alert.settings.keys import KEYS


class FreeSection(Struct, frozen=True):
    """A section whose keys are names that people choose; it is a field of Settings under its own name."""

    name: str
    meaning: str
    example: str
    value: str


FREE: tuple[FreeSection, ...] = (
    FreeSection(
        "quiet",
        "Times in which jobs run and nothing is said, each under a name of yours: mon-fri 22:00-06:00 every week, "
        "2026-12-24 or 2026-12-24..2026-12-26 for days, 2026-12-24 10:00-12:00; a semicolon between several. What was "
        "withheld is told in one message when it ends.",
        "maintenance",
        "sat 02:00-04:00; 2026-12-24",
    ),
)

SECTIONS = tuple(dict.fromkeys([*(key.section for key in KEYS), *(free.name for free in FREE)]))
