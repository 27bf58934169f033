"""What a seed draws: which faults there are and how often, and what kinds of plugins run."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.simulation.chat_plugins import COMMANDS
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
    "kills_at_writes",
    "kills_of_runs",
)
#: What can go wrong in the chat besides: drawn apart, so that it changes nothing of what else a seed draws.
CHAT_FAULTS = ("repeats", "lateness", "broken_sockets", "corrections", "rights", "crowds", "chat_kills")
#: By which ways people may reach the program.
DOORS = (("socket",), ("polling",), ("socket", "polling"))


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
    #: By which ways people may ask for commands; none: there is no chat.
    doors: tuple[str, ...] = ()
    #: Seconds between two things that people write, on average.
    chat_pace: float = 20.0

    @property
    def jobs(self) -> tuple[str, ...]:
        """The kinds of plugins that have no commands."""
        return tuple(kind for kind in self.kinds if kind not in COMMANDS)

    @property
    def commands(self) -> tuple[str, ...]:
        """The kinds that have some."""
        return tuple(kind for kind in self.kinds if kind in COMMANDS)

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
        on = ",".join(each for each in (*FAULTS, *CHAT_FAULTS) if each in self.faults) or "none"
        chat = f" chat={'+'.join(self.doors)}" if self.commands else ""
        return f"{self.zone} {self.start} {self.hours:g} h faults={on} plugins={','.join(self.kinds)}{chat}"


def draw(seed: int) -> Options:
    """Return what a seed draws."""
    chance = random.Random(f"options {seed}")
    likely = chance.choice((0.15, 0.35, 0.6))
    many = chance.randint(2, 6)
    options = Options(
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
    return _with_chat(seed, options)


def _with_chat(seed: int, options: Options) -> Options:
    """Return the options, with commands for most seeds."""
    chance = random.Random(f"chat {seed}")
    if chance.random() < 0.35:
        return options
    likely = chance.choice((0.2, 0.5))
    return replace(
        options,
        doors=chance.choice(DOORS),
        chat_pace=chance.choice((3.0, 10.0, 40.0)),
        faults=options.faults | {each for each in CHAT_FAULTS if chance.random() < likely},
        kinds=(*options.kinds, *sorted(chance.sample(sorted(COMMANDS), chance.randint(1, 4)))),
    )
