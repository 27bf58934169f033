"""Ten seeds of the whole program under faults break no law, and the same seed makes the same run."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def simulated(*words: str) -> subprocess.CompletedProcess[str]:
    """Simulate in a process of its own, whose standard library is replaced."""
    command = [sys.executable, "-m", "tests.simulation", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_law_is_broken_by_ten_seeds() -> None:
    played = simulated("--seeds", "10")

    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-5000:]


def test_a_seed_makes_the_same_run_again() -> None:
    first, again = (simulated("--seed", "2", "--hours", "0.1", "--quiet") for _ in range(2))

    assert "digest" in first.stdout
    assert first.stdout == again.stdout


def test_a_planted_fault_is_found_with_its_seed() -> None:
    """A program that does not look before it repeats says something twice."""
    played = simulated("--seeds", "5", "--hours", "0.1", "--shrink", "5", "--mutant", "doubt_is_loss")

    assert played.returncode == 1
    assert "accepted_once" in played.stdout
    assert "again: python -m tests.simulation --seed" in played.stdout
