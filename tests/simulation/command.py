"""The command line of the simulation: play seeds, shrink the first that fails, and print what was met."""

from __future__ import annotations

import argparse
import logging
import sys

from tests.simulation.figures import Figures
from tests.simulation.mutants import MUTANTS
from tests.simulation.options import Options, draw
from tests.simulation.program import prepare
from tests.simulation.scenario import Outcome, play
from tests.simulation.shrink import script_of, shrink
from tests.simulation.sometimes import exit_code, shown


def main(given: argparse.Namespace) -> int:
    """Play; return 1 where a law was broken, and 2 where something was never met."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.ERROR)
    prepare()
    if given.mutant:
        MUTANTS[given.mutant].plant()
    if given.seed is not None:
        outcome = play(given.seed, _options(given.seed, given), is_told=not given.quiet)
        _tell(outcome)
        return 1 if outcome.violations else 0
    return _play_all(range(given.first, given.first + given.seeds), given)


def _options(seed: int, given: argparse.Namespace) -> Options:
    options = draw(seed)
    if given.faults is not None:
        options = options.without(*options.faults.difference(given.faults.split(",")))
    if given.only:
        options = options.only(*given.only.split(","))
    if given.hours is not None:
        options = options.shorter(given.hours)
    return options


def _play_all(seeds: range, given: argparse.Namespace) -> int:
    figures = Figures()
    failing: list[Outcome] = []
    for seed in seeds:
        outcome = play(seed, _options(seed, given))
        figures.add(outcome.figures)
        failing += [outcome] if outcome.violations else []
        if failing and not given.go_on:
            break
    if given.figures:
        _print(figures.packed())
        return 1 if failing else 0
    for line in shown(figures, is_all=given.sometimes):
        _print(line)
    if failing and not given.go_on:
        _tell(shrink(failing[0], play, most=given.shrink))
    return exit_code(figures, is_all=given.sometimes)


def _tell(outcome: Outcome) -> None:
    _print(f"seed {outcome.seed}: {outcome.options}")
    _print(f"again: python -m tests.simulation --seed {outcome.seed} {outcome.options.flags}")
    _print(f"{outcome.lives} lives, {outcome.calls} calls, {outcome.simulated:.0f} s, digest {outcome.digest}")
    if outcome.violations:
        _print("last events:")
        for line in outcome.events:
            _print(f"  {line}")
        for violation in outcome.violations:
            _print(f"VIOLATION {violation}")
        _print("to keep it, in tests/simulation/corpus.py:")
        _print(script_of(outcome))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
