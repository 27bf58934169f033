"""Make a failing seed simpler: fewer faults, fewer plugins, less time, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation.options import Options
from tests.simulation.scenario import Outcome

Play = Callable[[int, Options], Outcome]


def shrink(failing: Outcome, play: Play, *, most: int) -> Outcome:
    """Return the simplest outcome, found by playing it at most so often, that breaks the same law."""
    plays, is_simpler = 0, True
    while is_simpler:
        is_simpler = False
        for options in _simpler(failing.options):
            if plays == most:
                return failing
            plays += 1
            outcome = play(failing.seed, options)
            if _laws(outcome) & _laws(failing):
                failing, is_simpler = outcome, True
                break
    return failing


def script_of(outcome: Outcome) -> str:
    """Return what to write into `corpus.py` for a seed that fails."""
    options = outcome.options
    faults = ",".join(sorted(options.faults)) or "none"
    return (
        f'    Found(\n        "{outcome.violations[0].partition(":")[0].replace("_", " ")}: say here what it found",\n'
        f'        seed={outcome.seed},\n        faults="{faults}",\n        only="{",".join(options.kinds)}",\n'
        f"        hours={options.hours!r},\n    ),"
    )


def _simpler(options: Options) -> Iterator[Options]:
    """Yield what is simpler, first what makes the next plays quick: less time, and half of the faults."""
    if options.hours > 0.02:
        yield options.shorter(options.hours / 2)
    faults = sorted(options.faults)
    if len(faults) > 3:
        yield options.without(*faults[: len(faults) // 2])
        yield options.without(*faults[len(faults) // 2 :])
    for fault in faults:
        yield options.without(fault)
    if len(options.kinds) > 1:
        for kind in options.kinds:
            yield options.only(*(each for each in options.kinds if each != kind))


def _laws(outcome: Outcome) -> set[str]:
    return {violation.partition(":")[0] for violation in outcome.violations}
