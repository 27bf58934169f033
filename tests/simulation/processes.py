"""Simulate in several processes: each plays some of the seeds, or one planted fault, and this one adds up."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tests.simulation.figures import Figures
from tests.simulation.mutants import MUTANTS
from tests.simulation.sometimes import exit_code, shown

#: So many seeds a process plays: few enough that all processes end at about the same time, and keep little memory.
_SHARE = 20


class BrokenError(Exception):
    """A process of ours has ended without figures."""


def main(given: argparse.Namespace) -> int:
    """Play; return 1 where a law was broken, or a planted fault was not found."""
    try:
        return _play_mutants(given) if given.mutants else _play_seeds(given)
    except BrokenError as error:
        _print(str(error))
        return 3


def _play_seeds(given: argparse.Namespace) -> int:
    begun = time.perf_counter()
    figures = Figures()
    for found in _each_share(given):
        figures.add(found)
    for line in shown(figures, is_all=given.sometimes, took=time.perf_counter() - begun):
        _print(line)
    if figures.failing and not given.go_on:
        _tell(given, min(figures.failing))
    return exit_code(figures, is_all=given.sometimes)


def _each_share(given: argparse.Namespace) -> Iterator[Figures]:
    """Yield the figures of each process; where one has found something, no further ones begin."""
    end = given.first + given.seeds
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = [
            pool.submit(_figures, _words(given, range(first, min(first + _SHARE, end))))
            for first in range(given.first, end, _SHARE)
        ]
        for each in as_completed(waiting):
            if each.cancelled():
                continue
            yield (found := each.result())
            if found.failing and not given.go_on:
                for one in waiting:
                    one.cancel()


def _tell(given: argparse.Namespace, seed: int) -> None:
    """Play the first one that fails again, and let it be made simpler; what it prints is for people."""
    words = [*_words(given, range(seed, seed + 1), figures=False), "--shrink", str(given.shrink)]
    subprocess.run([sys.executable, "-m", "tests.simulation", *words], check=False)


def _words(given: argparse.Namespace, seeds: range, *, figures: bool = True) -> list[str]:
    words = ["--first", str(seeds.start), "--seeds", str(len(seeds))]
    words += ["--figures"] if figures else []
    words += ["--go-on"] if given.go_on else []
    words += ["--faults", given.faults] if given.faults is not None else []
    words += ["--only", given.only] if given.only else []
    words += ["--hours", str(given.hours)] if given.hours is not None else []
    words += ["--mutant", given.mutant] if given.mutant else []
    return words


def _figures(words: Sequence[str]) -> Figures:
    played = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words], capture_output=True, text=True, check=False
    )
    try:
        return Figures.unpacked(played.stdout.splitlines()[-1])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise BrokenError(f"{' '.join(words)} ended with {played.returncode}: {played.stderr[-2000:]}") from error


@dataclass(frozen=True)
class Found:
    """Which seed found a planted fault, by which law, and how long that took."""

    mutant: str
    most: int
    seed: int | None
    violation: str
    seconds: float

    def shown(self) -> str:
        """Return it as a line of the table."""
        law = self.violation.partition(":")[0] if self.seed is not None else "NOT FOUND"
        return f"{self.mutant:32} {self.seed or '-':>5} {self.most:>5} {self.seconds:6.1f}  {law}"


def _play_mutants(given: argparse.Namespace) -> int:
    names = given.mutant.split(",") if given.mutant else list(MUTANTS)
    missing = []
    _print(f"{'mutant':32} {'seed':>5} {'most':>5} {'s':>6}  law")
    with ThreadPoolExecutor(given.jobs) as pool:
        for found in pool.map(find_mutant, names):
            _print(found.shown())
            missing += [found.mutant] if found.seed is None else []
    if missing:
        _print(f"not found: {', '.join(missing)}")
    return 1 if missing else 0


def find_mutant(name: str) -> Found:
    """Play the seeds in which a planted fault has to be found, up to the one that finds it."""
    mutant = MUTANTS[name]
    figures = _figures(["--mutant", name, *mutant.words, "--figures"])
    seed = min(figures.failing, default=None)
    return Found(name, mutant.most, seed, figures.failing[seed] if seed is not None else "", figures.real)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
