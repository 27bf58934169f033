"""The figures of many seeds: how much was simulated, what was met, and which seeds fail."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """What came of some seeds; those of several processes are added up."""

    seeds: int = 0
    lives: int = 0
    calls: int = 0
    #: Seconds of the worlds, those of them in which a program ran, and seconds of this machine.
    simulated: float = 0.0
    alive: float = 0.0
    real: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    #: The first thing that is wrong with each seed that fails.
    failing: dict[int, str] = field(default_factory=dict)

    def add(self, other: Figures) -> None:
        """Add those of other seeds."""
        self.seeds += other.seeds
        self.lives += other.lives
        self.calls += other.calls
        self.simulated += other.simulated
        self.alive += other.alive
        self.real += other.real
        self.met += other.met
        self.failing.update(other.failing)

    def packed(self) -> str:
        """Return them as one line."""
        return json.dumps(self.__dict__)

    @staticmethod
    def unpacked(line: str) -> Figures:
        """Return what another process has printed."""
        found = json.loads(line)
        failing = {int(seed): violation for seed, violation in found.pop("failing").items()}
        return Figures(met=Counter(found.pop("met")), failing=failing, **found)
