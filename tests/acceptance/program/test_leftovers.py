"""What plugins leave behind keeps no process: a finished drain ends it, with the exit code that it has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.program import Program
from tests.fakes.project import Project

pytestmark = [pytest.mark.slow, pytest.mark.thorough]
ROOT = Path(__file__).parents[2]
#: `docker stop` kills after so many seconds.
PATIENCE = 10.0

BEGINS = """
import asyncio, atexit, multiprocessing, subprocess, sys, threading, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

@deco(hours=1, at_start=True)
def tick():
    return "tick"

"""
#: In each something goes on for a minute.
LEFT = {
    "a thread": "threading.Thread(target=time.sleep, args=(60,)).start()",
    "an exit handler": "atexit.register(time.sleep, 60)",
    "an exit handler that ends the process otherwise": "atexit.register(sys.exit, 7)",
    "an executor": "pool = ThreadPoolExecutor(1)\npool.submit(time.sleep, 60)",
    "a process": "multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,)).start()",
    "a process of a pool": "pool = ProcessPoolExecutor(1, multiprocessing.get_context('fork'))\n"
    "pool.submit(time.sleep, 60)",
    "a program": "program = subprocess.Popen(['sleep', '60'])",
    "an object": "class Client:\n    def __del__(self): time.sleep(60)\n\nclient = Client()",
    "threads of the loop": "@deco(hours=1, at_start=True)\nasync def left():\n"
    "    for _ in range(64): asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)",
    "a task": "@deco(hours=1, at_start=True)\nasync def left():\n    global task\n"
    "    task = asyncio.create_task(refuse())\n\nasync def refuse():\n    while True:\n"
    "        try: await asyncio.sleep(60)\n        except asyncio.CancelledError: pass",
}
LASTING = {"a thread", "an exit handler that ends the process otherwise", "an object", "threads of the loop", "a task"}
#: What one plugin leaves behind: usually all that can be left behind side by side, and each alone in a thorough run.
KINDS = [
    pytest.param("\n\n".join(LEFT[kind] for kind in sorted(LASTING)).replace("left()", "left2()", 1), id="much"),
    *(pytest.param(left, id=kind, marks=pytest.mark.thorough) for kind, left in LEFT.items()),
]


@pytest.mark.parametrize("left", KINDS)
@pytest.mark.parametrize("scheduler", ["AsyncIOScheduler", pytest.param("GeventScheduler", marks=pytest.mark.thorough)])
def test_nothing_that_is_left_behind_delays_the_end_of_a_drain(scheduler: str, left: str, tmp_path: Path) -> None:
    program = Program(tmp_path, BEGINS + left, f"scheduler = {scheduler}\n")
    program.start()
    program.wait_until(lambda: "tick" in program.out.partition("Ctrl+C ends.")[2], "the alert")
    program.send(signal.SIGTERM)

    assert program.ended(PATIENCE) == 0
    assert "cut_off=0" in program.errors


@pytest.mark.parametrize("left", KINDS)
def test_nor_the_end_of_a_command_that_calls_a_function(left: str, project: Project) -> None:
    project.write("plugins/left.py", BEGINS + left)

    # Into files: a program that is left behind goes on to hold the pipes that it was given.
    out, errors = project.path / "out.txt", project.path / "errors.txt"
    with out.open("w") as stdout, errors.open("w") as stderr:
        done = subprocess.run(
            [sys.executable, "-m", "slack_alert", "trigger", "left.tick"],
            cwd=project.path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=stdout,
            stderr=stderr,
            timeout=PATIENCE,
            check=False,
        )

    assert (done.returncode, out.read_text(encoding="utf-8")) == (0, "tick\n")
