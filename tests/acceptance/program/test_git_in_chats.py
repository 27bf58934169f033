"""Pull requests from chats in a real program: the story, a kill in the middle of a merge, and no token anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET
from tests.fakes.git_hosts.github import FakeGitHub
from tests.fakes.git_hosts.world import TOKEN, FakeHost, Fault
from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack

pytestmark = pytest.mark.slow

PLUGINS = """
    @deco(hours=1)
    def idle():
        return None
"""
ANN, BOB = "U0ANN", "U0BOB"
SCHEDULERS = [
    "scheduler = AsyncIOScheduler",
    pytest.param("scheduler = GeventScheduler", marks=pytest.mark.thorough),
    pytest.param("scheduler = BackgroundScheduler", marks=pytest.mark.thorough),
]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "host") as host:
        yield host


def conf(slack: FakeSlack, host: FakeHost, settings: str = "") -> str:
    return f"""
        token = xoxb-test
        channel = #ops
        api_url = {slack.url}
        messages_per_second = 0
        {settings}
        [chat]
        poll = 1s
        channels = #ops
        admins = {ANN}, {BOB}
        [git.shop]
        host = github
        url = {host.url}
        repo = acme/shop
        token = {TOKEN}
        test = command:check
        [command.check]
        run = echo checking {{sha}}
        params = sha
        [people]
        {ANN} = github:ann
        {BOB} = github:bob
    """


def ask(slack: FakeSlack, program: Program, who: str, line: str, expected: str) -> str:
    """Write a line, and return the answer once it says what is expected."""
    asked = slack.say("#ops", f"!{line}", user=who)

    def answer() -> str:
        return "\n".join(each.text for each in slack.messages if each.thread_ts == asked.ts)

    program.wait_until(lambda: expected in answer(), f"{line}: {expected}")
    return answer()


def begin(slack: FakeSlack, program: Program) -> None:
    program.wait_until(lambda: "slack.polled" in program.stored, "the channel was read")


@pytest.mark.parametrize("settings", [*SCHEDULERS, pytest.param("isolation = process", marks=pytest.mark.thorough)])
def test_a_pull_request_is_tested_approved_and_merged_from_slack(
    github: FakeGitHub, tmp_path: Path, settings: str
) -> None:
    pull = github.opens()
    head = github.head(pull)
    with FakeSlack() as slack:
        slack.say("#ops", "before", user=ANN)
        with running(tmp_path, PLUGINS, conf(slack, github, settings)) as program:
            begin(slack, program)
            ask(slack, program, ANN, "prs", "Add a basket")
            ask(slack, program, ANN, "test 1", f"checking {head}")
            ask(slack, program, ANN, "approve 1", "is yours")
            ask(slack, program, BOB, "approve 1", "is approved by bob")
            ask(slack, program, ANN, "merge 1", f"#1 is merged: {head[:8]} is in main")
            program.stop()

    assert github.merges == [(1, head)]
    assert github.violations == []
    kept = [program.out, program.errors, *(each.text for each in slack.messages)]
    assert [text for text in kept if TOKEN in text] == []
    files = [path for path in (tmp_path / ".slack_alert").rglob("*") if path.is_file()]
    assert [path.name for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_a_kill_in_the_middle_of_a_merge_merges_once(github: FakeGitHub, tmp_path: Path) -> None:
    pull = github.opens()
    head = github.head(pull)
    with FakeSlack() as slack:
        slack.say("#ops", "before", user=ANN)
        with running(tmp_path, PLUGINS, conf(slack, github)) as program:
            begin(slack, program)
            ask(slack, program, ANN, "test 1", "passed")
            ask(slack, program, BOB, "approve 1", "is approved by bob")
            github.faults.append(Fault("slow", method="PUT", is_after=True, body=b"2"))
            slack.say("#ops", "!merge 1", user=ANN)
            program.wait_until(lambda: github.merges != [], "the host has merged")
            program.kill()
            program.start()
            ask(slack, program, ANN, "merge 1", "#1 was merged before.")
            program.stop()

    assert github.merges == [(1, head)]
    assert len(github.sent("PUT")) == 1


def test_a_pull_request_is_merged_from_dingtalk(github: FakeGitHub, tmp_path: Path) -> None:
    pull = github.opens()
    head = github.head(pull)
    github.is_green(pull)
    with FakeDingTalk() as dingtalk:
        text = f"""
            [dingtalk.bot]
            client_id = {CLIENT_ID}
            client_secret = {CLIENT_SECRET}
            api_url = {dingtalk.url}
            door = stream
            [chat]
            admins = dingtalk:0123, dingtalk:0124
            [git.shop]
            host = github
            url = {github.url}
            repo = acme/shop
            token = {TOKEN}
            [people]
            dingtalk:0123 = github:ann
            dingtalk:0124 = github:bob
        """
        with running(tmp_path, PLUGINS, text) as program:
            dingtalk.wait_for_sockets(1)
            for staff, line, expected in (
                ("0123", "prs", "Add a basket"),
                ("0123", "approve 1", "is yours"),
                ("0124", "approve 1", "is approved by bob"),
                ("0123", "merge 1", f"{head[:8]} is in main"),
            ):
                dingtalk.says(line, staff=staff)
                program.wait_until(lambda said=expected: said in str(dingtalk.card_texts()), f"{line}: {expected}")  # type: ignore[misc]
            program.stop()

    assert github.merges == [(1, head)]
    assert TOKEN not in program.out + program.errors + str(dingtalk.card_texts())
