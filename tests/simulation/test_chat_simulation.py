"""Some seeds of the whole program with people who ask for commands break no law, and planted faults are found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation.processes import find_mutant

pytestmark = pytest.mark.slow


def simulated(*words: str) -> subprocess.CompletedProcess[str]:
    """Simulate in a process of its own, whose standard library is replaced."""
    command = [sys.executable, "-m", "tests.simulation", "--hours", "0.05", "--quiet", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seed", [2, 5, 11, 28])
def test_no_law_of_commands_is_broken(seed: int) -> None:
    played = simulated("--seed", str(seed))

    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-5000:]
    assert "chat=" in played.stdout


@pytest.mark.parametrize(
    ("mutant", "law"),
    [
        ("starts_are_not_kept", "runs_once"),
        ("everybody_may", "what_is_not_permitted_never_runs"),
    ],
)
def test_a_planted_fault_is_found(mutant: str, law: str) -> None:
    found = find_mutant(mutant)

    assert found.seed is not None
    assert law in found.violation
