"""The short commands beside a program that runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.project import Project

PLUGIN = """
    @deco(seconds=0.2, max_alert=0)
    def beat():
        return "beat"


    @deco(cron="0 9 * * *")
    def report():
        return True


    @deco(command="deploy")
    def deploy():
        return True
"""


@pytest.fixture
def running(project: Project) -> Iterator[subprocess.Popen[str]]:
    """Let `slack-alert run` go on in the project; the plan has been printed."""
    project.write("plugins/db.py", PLUGIN)
    process = subprocess.Popen(
        [sys.executable, "-m", "slack_alert", "run"],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        if process.poll() is None:
            process.kill()


def plan_of(process: subprocess.Popen[str]) -> list[str]:
    """Read what is printed until the first message."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        if line.rstrip().endswith("beat") and not line.startswith("db."):
            return lines
        lines.append(line.rstrip("\n"))
    raise AssertionError(f"it ended: {lines}")


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does within a second."""
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_running_program_is_seen_paused_resumed_spoken_through_and_alone_with_its_database(
    running: subprocess.Popen[str], project: Project
) -> None:
    plan = plan_of(running)

    def beat() -> dict[str, object]:
        found: dict[str, object] = project.run("jobs", "--json").json["jobs"][0]
        return found

    status = project.run("status", "--json")
    assert (status.code, status.json["pid"]) == (0, running.pid)
    until(lambda: beat()["last_run"] is not None)
    second = project.run("run")
    assert (second.code, second.out) == (3, "")
    assert re.search(rf"process {running.pid} is running with .* already\. Stop it", second.err)

    paused = project.run("pause", "beat", "--for", "1h")
    assert (paused.code, paused.err) == (0, "")
    until(lambda: beat()["state"] == "paused")
    assert project.run("resume", "beat").out == "db.beat runs again.\n"
    until(lambda: beat()["state"] == "active")

    assert project.run("send", "hello", "--to", "#ops").code == 0
    until(lambda: any(line["text"] == "hello" for line in project.run("outbox", "--json").json_lines))

    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=10)
    assert running.returncode == 0
    assert "#ops  hello" in said
    assert plan[0] == "slack-alert: 2 jobs, times in Europe/Berlin"
    assert [line.split()[0] for line in plan[2:5]] == ["JOB", "db.beat", "db.report"]
    assert plan[6:8] == [
        "Messages go to the terminal: no token is set. Ctrl+C ends.",
        "1 command: `deploy`, with `slack-alert chat`; `app_token` lets people in from Slack.",
    ]
    assert project.run("status").lines[0] == "slack-alert is not running."
    verdicts = {line["verdict"] for line in project.run("history", "beat", "--json").json_lines}
    # On a busy machine a slot may come too late, or find the one before still running.
    assert verdicts >= {"said", "paused"}
