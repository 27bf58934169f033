"""The whole program with functions that hang, die or fail: who is told what, and what is left behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.model import Verdict
from tests.fakes.program import running
from tests.fakes.project import Project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are the system's"),
]
SCHEDULERS = ["AsyncIOScheduler", "BackgroundScheduler", "GeventScheduler", "TornadoScheduler"]

HUNG = """
    import time

    @deco(seconds=0.2, timeout=0.5)
    def hung():
        time.sleep(3600)

    @deco(seconds=0.2)
    def lively():
        return None
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_hung_plain_function_is_told_once_and_stops_nobody(tmp_path: Path, scheduler: str) -> None:
    with running(tmp_path, HUNG, "threads = 1\nmax_alert = 0\n", "-s", scheduler) as program:
        program.wait_until(lambda: "took longer than 0.5s (timeout)" in program.out, "the hung function is told")
        program.wait_until(lambda: Verdict.OVERLAPPED in program.verdicts("hung"), "its further slots are overlapped")
        seen = len(program.history("lively"))
        program.wait_until(lambda: len(program.history("lively")) > seen, "the other job runs on")
        assert program.stop() == 0, program.errors

    assert program.out.count("took longer than") == 1
    assert program.verdicts("hung") - {Verdict.MISSED} == {Verdict.TIMED_OUT, Verdict.OVERLAPPED}
    assert "run given up" in program.errors


def test_a_stuck_function_is_seen_in_the_status(project: Project) -> None:
    with running(project.path, HUNG) as program:
        program.wait_until(lambda: "took longer than" in program.out, "the hung function is told")
        program.wait_until(lambda: status(project)["pool"]["stuck"] == 1, "the status says so")

        assert status(project)["alive"] is True


ISOLATED = """
    import os, subprocess, time
    from pathlib import Path

    PIDS = Path(__file__).parent.parent / "pids"

    @deco(seconds=600, at_start=True, timeout=1, isolation="process")
    def hung(ctx):
        child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        PIDS.write_text(f"{os.getpid()} {child.pid}")
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
        return f"fine, {'TOKEN' in str(os.environ)}"
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_isolated_functions_hang_die_and_eat_without_harm(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COV_TOKEN", "passed on to the program")
    with running(tmp_path, ISOLATED, "memory_limit = 300MB\n", "-s", scheduler) as program:
        for text in (
            "before it hangs",
            "jobs.hung failed: TimeoutError: took longer than 1s (timeout)",
            "jobs.exits failed: ProcessEnded: its process ended with exit code 7",
            "jobs.greedy failed: MemoryError: needed more than 300MB (memory_limit)",
            "fine, False",
        ):
            program.wait_until(lambda text=text: text in program.out, text)  # type: ignore[misc]
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        assert [pid for pid in pids if is_going_on(pid)] == []
        assert program.stop() == 0, program.errors

    assert program.verdicts("hung") == {Verdict.TIMED_OUT}
    assert "jobs.hung | begun" in program.errors
    assert "Traceback" not in program.errors


def test_the_end_of_the_program_is_the_end_of_its_processes(tmp_path: Path) -> None:
    plugin = ISOLATED.replace("timeout=1, ", "")
    with running(tmp_path, plugin, "drain_timeout = 0.2\n") as program:
        program.wait_until(lambda: "before it hangs" in program.out, "the function hangs")
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        program.stop()

    assert [pid for pid in pids if is_going_on(pid)] == []


def test_a_killed_program_leaves_no_process_behind(tmp_path: Path) -> None:
    with running(tmp_path, ISOLATED.replace("timeout=1, ", "")) as program:
        program.wait_until(lambda: "before it hangs" in program.out, "the function hangs")
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        program.kill()
        program.wait_until(lambda: not any(map(is_going_on, pids)), "they notice that nobody is there")


RETRIED = """
    tries = []

    @deco(seconds=600, at_start=True, retries=2, retry_delay=0.05)
    def third():
        tries.append(1)
        if len(tries) < 3:
            raise ValueError(f"no {len(tries)}")
        return "on the third"

    @deco(seconds=600, at_start=True, retries=1, retry_delay=0.05)
    async def never():
        raise ValueError("never")

    @deco(seconds=600, at_start=True, retries=5, retry_delay="1h")
    def later():
        raise ValueError("is told at the end")
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_fails_is_tried_again(tmp_path: Path, scheduler: str) -> None:
    with running(tmp_path, RETRIED, "", "-s", scheduler) as program:
        program.wait_until(lambda: "on the third" in program.out, "the third attempt")
        program.wait_until(lambda: "never failed: ValueError: never" in program.out, "the last failure")
        assert "is told at the end" not in program.out
        assert program.stop() == 0, program.errors

    assert (program.verdicts("third"), program.verdicts("never")) == ({Verdict.SAID}, {Verdict.ERROR})
    [line] = program.history("never")
    assert (line.record.error or "").endswith("(attempt 2 of 2)\n")
    [line] = program.history("later")
    assert (line.record.error or "").endswith("(attempt 1 of 6)\n")
    assert "is told at the end" in program.out


def status(project: Project) -> dict[str, Any]:
    """Ask it as a person does."""
    return project.run("status", "--json").json


def is_going_on(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")
