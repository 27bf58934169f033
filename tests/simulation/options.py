"""What a seed draws: which faults there are and how often, and what kinds of plugins run."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.simulation.plugins import KINDS

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
#: The nights in which those zones go over to winter or summer time, and days on which nothing happens, in UTC.
STARTS = (
    "2026-03-29T00:00",
    "2026-10-24T23:50",
    "2026-11-01T05:00",
    "2026-03-08T06:30",
    "2026-04-04T14:30",
    "2026-11-20T12:00",
    "2026-06-01T07:55",
    "2026-12-31T23:30",
)
#: What can go wrong: each is on or off for a seed.
FAULTS = (
    "kills",
    "early_kills",
    "rows_of_kills",
    "stops",
    "freezes",
    "clock_steps",
    "long_downtimes",
    "full_disk",
    "slow_disk",
    "torn_journal",
    "refused",
    "lost_before",
    "lost_after",
    "slow_service",
    "garbage",
    "rate_limits",
    "revoked",
    "edits",
    "half_edits",
    "requests",
    "storms",
    "interleavings",
    "late_kills",
    "kills_of_runs",
)


@dataclass(frozen=True)
class Options:
    """One draw. `python -m tests.simulation --seed 7 --faults kills,edits` plays a seed with fewer."""

    zone: str
    start: str
    faults: frozenset[str]
    kinds: tuple[str, ...]
    #: Seconds in which faults happen, and in which none happens afterwards.
    hours: float
    rest: float
    #: Seconds between two faults of a kind, on average.
    pace: float
    max_alert: int
    pause_time: float
    #: When nothing is told, as the configuration has it; empty: always.
    quiet: str = ""

    def without(self, *faults: str) -> Options:
        """Return the same draw with fewer faults."""
        return replace(self, faults=self.faults.difference(faults))

    def only(self, *kinds: str) -> Options:
        """Return the same draw with these plugins, whichever it has drawn."""
        return replace(self, kinds=tuple(sorted(kinds)))

    def shorter(self, hours: float) -> Options:
        """Return the same draw with less time for faults."""
        return replace(self, hours=hours)

    @property
    def flags(self) -> str:
        """What makes the same options of this seed on the command line."""
        faults, kinds = ",".join(sorted(self.faults)), ",".join(self.kinds)
        return f"--faults {faults or 'none'} --only {kinds} --hours {self.hours:g}"

    def __str__(self) -> str:
        on = ",".join(each for each in FAULTS if each in self.faults) or "none"
        return f"{self.zone} {self.start} {self.hours:g} h faults={on} plugins={','.join(self.kinds)}"


def draw(seed: int) -> Options:
    """Return what a seed draws."""
    chance = random.Random(f"options {seed}")
    likely = chance.choice((0.15, 0.35, 0.6))
    many = chance.randint(2, 6)
    return Options(
        zone=chance.choice(ZONES),
        start=chance.choice(STARTS),
        faults=frozenset(each for each in FAULTS if chance.random() < (0.8 if "kills" in each else likely)),
        kinds=tuple(sorted(chance.sample(sorted(KINDS), many))),
        hours=chance.choice((0.1, 0.25, 0.5, 1.0)),
        rest=900.0,
        pace=chance.choice((5.0, 20.0, 60.0, 200.0)),
        max_alert=chance.choice((0, 2, 3)),
        pause_time=chance.choice((1, 5, 60)),
        quiet=chance.choice(("", "", "", "0:05-0:20; 1:00-1:40; 2:31-2:50; 8:00-8:10")),
    )
