"""Simulate the program by seeds: `python -m tests.simulation --seeds 1000`, or one of them: `--seed 7`."""

from __future__ import annotations

import os
import sys
import traceback

if os.environ.get("PYTHONHASHSEED") != "0":  # Sets come in the same order in every run.
    os.execve(
        sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
    )

from tests.simulation import patches

patches.install()

from tests.simulation.command import main  # noqa: E402 - it sees the world as it is from here on

try:
    code = main(sys.argv[1:])
except SystemExit as error:
    code = int(error.code or 0)
except BaseException:  # noqa: BLE001 - it is told, and the process ends as below
    traceback.print_exc()
    code = 3
sys.stdout.flush()
sys.stderr.flush()
# Not by the interpreter: it would wait for threads that are none.
patches.real_exit(code)
