"""Many commands at once, by the sockets of Slack, in a real program."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack, Posted

COUNT = 500
PLUGINS = """
    @deco(command="deploy", allow="members")
    def deploy(app: str):
        with open("called.txt", "a") as file:
            file.write(app + "\\n")
        if app == "a7":
            raise RuntimeError("no room")
        return f"{app} is deployed"
"""

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack, rate: int) -> str:
    return f"""
        token = {slack.workspace.token}
        app_token = {slack.workspace.app_token}
        channel = #ops
        api_url = {slack.url}
        messages_per_second = {rate}
        [chat]
        rate = 0
    """


def flood(slack: FakeSlack, count: int, seconds: float) -> list[Posted]:
    """Write all commands, as many people."""
    begun, asked = time.monotonic(), list[Posted]()
    people = {f"U0P{number:02}": f"person{number}" for number in range(50)}
    slack.workspace.users = {**slack.workspace.users, **people}
    for number in range(count):
        asked.append(slack.socket.says(f"U0P{number % 50:02}", f"!deploy a{number}"))
        time.sleep(max(0.0, begun + number * seconds / count - time.monotonic()))
    return asked


def called(program: Program) -> list[str]:
    file = program.folder / "called.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def answers(slack: FakeSlack, asked: Posted) -> list[str]:
    return [each.text for each in slack.messages if each.thread_ts == asked.ts]


def assert_acknowledged_and_run_once(slack: FakeSlack, program: Program, count: int) -> None:
    assert slack.socket.unacknowledged == []
    # Not in this order: two sockets promise none.
    assert sorted(called(program)) == sorted(f"a{number}" for number in range(count))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("count", [60, pytest.param(COUNT, marks=pytest.mark.thorough)])
def test_each_is_acknowledged_runs_once_and_is_answered(tmp_path: Path, count: int) -> None:
    with FakeSlack() as slack, running(tmp_path, PLUGINS, conf(slack, 0)) as program:
        slack.socket.wait_for_sockets(2)
        asked = flood(slack, count, 0)
        program.wait_until(lambda: len(called(program)) >= count, "all have run", 60)
        program.wait_until(lambda: all("deployed" in str(answers(slack, each)) for each in asked[-3:]), "answers", 60)
        # The answers themselves come back as events.
        program.wait_until(lambda: slack.socket.unacknowledged == [], "all is acknowledged", 60)
        program.stop()

        assert_acknowledged_and_run_once(slack, program, count)
        ends = Counter(answers(slack, each)[-1].split()[0] for each in asked)
        assert ends == {"done": count - 1, "failed": 1}


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_answers_stay_within_the_rate_of_the_channel_and_nobody_is_left_without(tmp_path: Path) -> None:
    with FakeSlack() as slack, running(tmp_path, PLUGINS, conf(slack, 1)) as program:
        slack.socket.wait_for_sockets(2)
        begun = time.monotonic()
        asked = flood(slack, COUNT, 10)
        program.wait_until(lambda: len(called(program)) >= COUNT, "all have run", 60)
        program.wait_until(lambda: not [each for each in program.outbox() if each.status == "queued"], "sent", 200)
        took = time.monotonic() - begun
        program.wait_until(lambda: slack.socket.unacknowledged == [], "all is acknowledged", 60)
        program.stop()

        assert_acknowledged_and_run_once(slack, program, COUNT)
        own = [each for each in asked if answers(slack, each)]
        summaries = [each.text for each in slack.messages if each.text.startswith("More waited here")]
        named = {number for text in summaries for number in numbers(text)}
        assert all(answers(slack, each)[-1].split()[0] in ("done", "failed") for each in own)
        assert {line.record.run for line in program.history("deploy")} <= named | runs_with_answers(slack, program)
        calls = [each for each in slack.requests if "chat." in str(each)]
        assert len(calls) <= took + 3 + 1


def runs_with_answers(slack: FakeSlack, program: Program) -> set[int]:
    return {each.message.origin.run or 0 for each in program.outbox() if each.status == "sent"}


def numbers(summary: str) -> list[int]:
    spans = re.findall(r"\b(\d+)(?:-(\d+))?(?=[,)])", summary.partition("`slack-alert history`")[0])
    return [run for first, last in spans for run in range(int(first), int(last or first) + 1)]
