"""Simulate the program by seeds: `python -m tests.simulation --seeds 1000`, or one of them: `--seed 7`."""

from __future__ import annotations

import os
import sys
import traceback

if os.environ.get("PYTHONHASHSEED") != "0":  # Sets come in the same order in every run.
    os.execve(
        sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
    )

from tests.simulation.arguments import read

given = read(sys.argv[1:])
if given.jobs > 1 or given.mutants:
    # Not in a world, but in some: this process only starts others and adds up what they say.
    from tests.simulation.processes import main as main_of_several

    sys.exit(main_of_several(given))

from tests.simulation import patches  # noqa: E402 - what it replaces is needed above

patches.install()

from tests.simulation.command import main  # noqa: E402 - it sees the world as it is from here on

try:
    code = main(given)
except SystemExit as error:
    code = int(error.code or 0)
except BaseException:  # noqa: BLE001 - it is told, and the process ends as below
    traceback.print_exc()
    code = 3
sys.stdout.flush()
sys.stderr.flush()
# Not by the interpreter: it would wait for threads that are none.
patches.real_exit(code)
