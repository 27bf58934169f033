"""Seeds that once found something, each with a sentence; the suite plays them, so that it is not there again.

A seed is the same run for the same program only: after a change of either it is another one. So each has the planted
fault that it has to find (`mutants.py`), where there is one, which shows that it still says something.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """One seed, as simple as it was when it showed a fault."""

    what: str
    seed: int
    faults: str = ""
    only: str = ""
    hours: float = 0.25
    #: The planted fault that makes it fail; empty: none.
    mutant: str = ""

    @property
    def words(self) -> list[str]:
        """What plays it on the command line."""
        words = ["--seed", str(self.seed), "--hours", f"{self.hours:g}", "--quiet"]
        words += ["--faults", self.faults] if self.faults else []
        return [*words, "--only", self.only] if self.only else words


CORPUS: tuple[Found, ...] = (
    Found(
        "of events that a sensor emitted together, a kill during the first answer dropped the others",
        seed=3,
        faults="kills_of_runs",
        only="sensor",
        mutant="events_of_one_slot_are_one",
    ),
    Found(
        "a socket that was silent for as long as allowed was neither replaced nor waited for, by a rounding error",
        seed=2,
        hours=0.1,
    ),
)
