"""The whole program with functions that hang, die or fail: who is told what, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import Program, running
from tests.fakes.project import Project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are the system's"),
]
# Only gevent's patch makes other threads and processes of them.
SCHEDULERS = [
    "AsyncIOScheduler",
    pytest.param("GeventScheduler", marks=pytest.mark.thorough),
    pytest.param("BackgroundScheduler", marks=pytest.mark.thorough),
    pytest.param("TornadoScheduler", marks=pytest.mark.thorough),
]

HUNG = """
    import os, subprocess, time
    from pathlib import Path

    def has_a_child(name):
        child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        (Path(__file__).parent.parent / name).write_text(f"{os.getpid()} {child.pid}")

    @deco(seconds=0.2, timeout=0.5)
    def hung():
        time.sleep(3600)

    @deco(seconds=600, at_start=True, isolation="process")
    def endless(ctx):
        has_a_child("endless.pids")
        ctx.say("never ends")
        ctx.run(["sleep", "3600"])
"""
JOBS = f"""
    {HUNG}
    @deco(seconds=0.2)
    def lively():
        return None

    @deco(seconds=600, at_start=True, timeout=1, isolation="process")
    def overdue(ctx):
        has_a_child("overdue.pids")
        print("begun")
        ctx.say("before it hangs")
        ctx.run(["sleep", "3600"])

    @deco(seconds=600, at_start=True, isolation="process")
    def exits():
        os._exit(7)

    @deco(seconds=600, at_start=True, isolation="process")
    def greedy():
        return len(bytearray(900 << 20))

    @deco(seconds=600, at_start=True, isolation="process")
    def fine():
        return f"fine, {{'TOKEN' in str(os.environ)}}"

    tries = []

    @deco(seconds=600, at_start=True, retries=2, retry_delay=0.05)
    def third():
        tries.append(1)
        if len(tries) < 3:
            raise ValueError(f"no {{len(tries)}}")
        return "on the third"

    @deco(seconds=600, at_start=True, retries=1, retry_delay=0.05)
    async def never():
        raise ValueError("never")

    @deco(seconds=600, at_start=True, retries=5, retry_delay="1h")
    def later():
        raise ValueError("is told at the end")
"""
# The endless one keeps the second thread, so that the others have the one that hangs.
CONF = "threads = 2\nmax_alert = 0\nmemory_limit = 300MB\ndrain_timeout = 0.2\n"
SAID = (
    "took longer than 0.5s (timeout)",
    "before it hangs",
    "jobs.overdue failed: TimeoutError: took longer than 1s (timeout)",
    "jobs.exits failed: ProcessEnded: its process ended with exit code 7",
    "jobs.greedy failed: MemoryError: needed more than 300MB (memory_limit)",
    "fine, False",
    "on the third",
    "never failed: ValueError: never",
    "never ends",
)


@dataclass(frozen=True)
class Life:
    """A program that has ended, and what only could be seen before."""

    program: Program
    code: int
    said: str
    #: Processes of the run that took too long which went on while the program did.
    left: list[int]


@pytest.fixture(scope="module", params=SCHEDULERS)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Let everything happen in one program."""
    folder = tmp_path_factory.mktemp("life")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("COV_TOKEN", "passed on to the program")
        with running(folder, JOBS, CONF, "-s", request.param) as program:
            for text in SAID:
                program.wait_until(lambda text=text: text in program.out, text)  # type: ignore[misc]
            program.wait_until(lambda: Verdict.OVERLAPPED in program.verdicts("hung"), "further slots are overlapped")
            seen = len(program.history("lively"))
            program.wait_until(lambda: len(program.history("lively")) > seen, "the other job runs on")
            left, said = going_on(folder / "overdue.pids"), program.out
            yield Life(program, program.stop(), said, left)


def test_a_hung_plain_function_is_told_once_and_stops_nobody(life: Life) -> None:
    assert life.program.out.count("took longer than 0.5s") == 1
    assert life.program.verdicts("hung") - {Verdict.MISSED} == {Verdict.TIMED_OUT, Verdict.OVERLAPPED}
    assert "run given up" in life.program.errors


def test_isolated_functions_hang_die_and_eat_without_harm(life: Life) -> None:
    assert life.left == []
    assert life.program.verdicts("overdue") == {Verdict.TIMED_OUT}
    assert "jobs.overdue | begun" in life.program.errors
    assert "Traceback" not in life.program.errors


def test_the_end_of_the_program_is_the_end_of_its_processes(life: Life) -> None:
    assert going_on(life.program.folder / "endless.pids") == []
    # The one that was given up long ago is not told once more.
    assert "stopped  cut_off=1 " in life.program.errors
    assert life.code == 128 + signal.SIGTERM


def test_what_fails_is_tried_again(life: Life) -> None:
    program = life.program

    assert (program.verdicts("third"), program.verdicts("never")) == ({Verdict.SAID}, {Verdict.ERROR})
    [line] = program.history("never")
    assert (line.record.error or "").endswith("(attempt 2 of 2)\n")
    [line] = program.history("later")
    assert (line.record.error or "").endswith("(attempt 1 of 6)\n")
    assert "is told at the end" not in life.said
    assert "is told at the end" in program.out


@pytest.mark.thorough
def test_a_stuck_function_is_seen_in_the_status_and_a_killed_program_leaves_no_process_behind(project: Project) -> None:
    with running(project.path, HUNG) as program:
        program.wait_until(lambda: "took longer than" in program.out, "the hung function is told")
        # It is written every few seconds.
        program.wait_until(lambda: status(project)["pool"]["stuck"] == 1, "the status says so", step=0.3)
        assert status(project)["alive"] is True

        program.wait_until(lambda: "never ends" in program.out, "the isolated function hangs")
        pids = project.path / "endless.pids"
        assert len(going_on(pids)) == 2
        program.kill()
        program.wait_until(lambda: going_on(pids) == [], "they notice that nobody is there")


def status(project: Project) -> dict[str, Any]:
    """Ask it as a person does."""
    return project.run("status", "--json").json


def going_on(pids: Path) -> list[int]:
    """Return those of the processes in a file that are not gone."""
    return [pid for pid in map(int, pids.read_text().split()) if is_going_on(pid)]


def is_going_on(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")
