"""Make a failing seed simpler: fewer faults, fewer plugins, less time, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation.options import Options
from tests.simulation.scenario import Outcome

Play = Callable[[int, Options], Outcome]


def shrink(failing: Outcome, play: Play) -> Outcome:
    """Return the simplest outcome found that breaks the same law."""
    is_simpler = True
    while is_simpler:
        is_simpler = False
        for options in _simpler(failing.options):
            outcome = play(failing.seed, options)
            if _laws(outcome) & _laws(failing):
                failing, is_simpler = outcome, True
                break
    return failing


def _simpler(options: Options) -> Iterator[Options]:
    for fault in sorted(options.faults):
        yield options.without(fault)
    if len(options.kinds) > 1:
        for kind in options.kinds:
            yield options.only(*(each for each in options.kinds if each != kind))
    if options.hours > 0.02:
        yield options.shorter(options.hours / 2)


def _laws(outcome: Outcome) -> set[str]:
    return {violation.partition(":")[0] for violation in outcome.violations}
