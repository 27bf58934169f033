"""The command line of the simulation: play seeds, shrink the first that fails, and print what was met."""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence

from tests.simulation.mutants import MUTANTS
from tests.simulation.options import Options, draw
from tests.simulation.program import prepare
from tests.simulation.scenario import Outcome, play
from tests.simulation.shrink import shrink


def main(words: Sequence[str]) -> int:
    """Play; return 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=30, help="how many seeds (30)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--seed", type=int, help="this one only, with all that happens in it")
    parser.add_argument("--faults", help="these faults only")
    parser.add_argument("--only", default="", help="only these plugins")
    parser.add_argument("--hours", type=float, help="so many hours with faults")
    parser.add_argument("--quiet", action="store_true", help="with --seed: no events")
    parser.add_argument("--go-on", action="store_true", help="play the other seeds after one that fails")
    parser.add_argument("--shrink", type=int, default=200, help="so many plays to make one that fails simpler (200)")
    parser.add_argument("--sometimes", action="store_true", help="fail where something was never met")
    parser.add_argument("--mutant", default="", help="plant this fault in the program")
    given = parser.parse_args(words)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.ERROR)
    prepare()
    if given.mutant:
        MUTANTS[given.mutant]()
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
    met: Counter[str] = Counter()
    total = Counter[str]()
    failing: list[Outcome] = []
    for seed in seeds:
        outcome = play(seed, _options(seed, given))
        met += outcome.met
        total += Counter(
            seeds=1, lives=outcome.lives, calls=outcome.calls,
            ms_simulated=int(outcome.simulated * 1000), ms_alive=int(outcome.alive * 1000), ms=int(outcome.real * 1000),
        )  # fmt: skip
        if outcome.violations:
            failing.append(outcome)
            _print(f"seed {seed} fails: {outcome.violations[0]}")
            if not given.go_on:
                break
    _tell_totals(total, met)
    if failing and not given.go_on:
        _tell(shrink(failing[0], play, most=given.shrink))
    from tests.simulation.sometimes import never_met

    if given.sometimes and (never := never_met(met)):
        _print(f"never met: {', '.join(never)}")
        return 1
    return 1 if failing else 0


def _tell_totals(total: Counter[str], met: Counter[str]) -> None:
    real = max(total["ms"], 1)
    _print(
        f"{total['seeds']} seeds, {total['lives']} lives, {total['calls']} calls, "
        f"{total['ms_simulated'] / 3.6e6:.1f} h of time ({total['ms_alive'] / 3.6e6:.1f} h of it running) "
        f"in {real / 1000:.1f} s: {total['ms_simulated'] / real:,.0f} times ({total['ms_alive'] / real:,.0f} running)"
    )
    width = max(map(len, met), default=0)
    for name, times in sorted(met.items()):
        _print(f"  {name:{width}} {times:9,}")


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


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
