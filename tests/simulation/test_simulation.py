"""Some seeds of the whole program under faults break no law, and what once was found is not there again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation.corpus import CORPUS, Found
from tests.simulation.mutants import MUTANTS
from tests.simulation.processes import find_mutant

pytestmark = pytest.mark.slow

#: So many seeds are one test.
_TOGETHER = 5


def simulated(*words: str) -> subprocess.CompletedProcess[str]:
    """Simulate in a process of its own, whose standard library is replaced."""
    command = [sys.executable, "-m", "tests.simulation", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("first", range(1, 31, _TOGETHER))
def test_no_law_is_broken(first: int) -> None:
    played = simulated("--first", str(first), "--seeds", str(_TOGETHER), "--hours", "0.1", "--shrink", "30")

    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-5000:]


@pytest.mark.parametrize("found", CORPUS, ids=lambda found: found.what)
def test_what_a_seed_once_found_is_not_there_again(found: Found) -> None:
    played = simulated(*found.words)

    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-5000:]


@pytest.mark.thorough
@pytest.mark.parametrize("found", [found for found in CORPUS if found.mutant], ids=lambda found: found.what)
def test_what_a_seed_once_found_would_be_found_again(found: Found) -> None:
    played = simulated(*found.words, "--mutant", found.mutant)

    assert played.returncode == 1, played.stdout[-5000:] + played.stderr[-5000:]


def test_a_seed_makes_the_same_run_again() -> None:
    first, again = (simulated("--seed", "2", "--hours", "0.1", "--quiet") for _ in range(2))

    assert "digest" in first.stdout
    assert first.stdout == again.stdout


def test_what_functions_print_is_not_in_the_report() -> None:
    played = simulated("--seeds", "10", "--hours", "0.25", "--only", "quick,unlimited", "--go-on")

    assert "function: print" in played.stdout
    assert "printed" not in played.stdout + played.stderr


def test_a_failing_seed_is_reported_as_what_to_keep() -> None:
    """A program that does not ask whether a run goes on has two of them."""
    planted = ("--faults", "none", "--only", "slow", "--mutant", "overlaps_run")
    played = simulated("--seeds", "5", "--hours", "0.5", "--shrink", "5", *planted)

    assert played.returncode == 1
    assert "one_run_at_a_time" in played.stdout
    assert "again: python -m tests.simulation --seed" in played.stdout
    assert "    Found(\n" in played.stdout


def test_processes_add_up_to_what_one_plays() -> None:
    one = simulated("--seeds", "2", "--hours", "0.02")
    several = simulated("--seeds", "2", "--hours", "0.02", "--jobs", "2")

    assert one.stdout.splitlines()[1:] == several.stdout.splitlines()[1:]
    assert one.stdout.split(" in ")[0] == several.stdout.split(" in ")[0]


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_is_found(name: str) -> None:
    found = find_mutant(name)

    assert found.seed is not None
