"""The program is killed without warning, over and over: what was committed reaches Slack, in order and once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.model.message import Status
from slack_alert.core.model.record import Verdict
from slack_alert.engine.delivery.lane import UNMARKED
from tests.fakes.program import Program
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES

JOBS = """
    import time

    @deco(seconds=0.1)
    def often():
        return f"often {time.time_ns()}"

    @deco(seconds=0.15, to="#test")
    def elsewhere():
        yield f"elsewhere {time.time_ns()}"
        yield f"elsewhere {time.time_ns()}"
"""
CONF = "token = xoxb-test\nchannel = #ops\nmax_alert = 0\nmessages_per_second = 0\napi_url = {url}\n"
IDS = {"slack:#ops": "C0OPS", "slack:#test": "C0TEST"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def blind() -> Iterator[FakeSlack]:
    """Slack for a token that may not look into the history."""
    with FakeSlack(scopes=ALL_SCOPES - {"channels:history"}) as fake:
        yield fake


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """Two lives of any length and one that is killed while it starts, at least."""
    return 9 if request.config.getoption("thorough") else 3


def program_for(slack: FakeSlack, folder: Path) -> Program:
    return Program(folder / "program", JOBS, CONF.format(url=slack.url))


def arrived(slack: FakeSlack, address: str) -> list[str]:
    """Return the keys of what people see there, in their order."""
    seen = [each.metadata for each in slack.messages if each.channel == IDS[address]]
    return [each["event_payload"]["id"] for each in seen if each is not None]


def committed(program: Program, address: str) -> list[str]:
    return [each.message.key for each in program.outbox() if str(each.message.to) == address]


def kill_at_random_moments(program: Program, chance: random.Random, rounds: int) -> None:
    try:
        for number in range(rounds):
            is_starting = number % 3 == 2
            program.start(is_awaited=not is_starting)
            time.sleep(chance.uniform(0.2, 0.9) if is_starting else chance.uniform(0.05, 1.2))
            program.kill()
            assert program.integrity == "ok"
    finally:
        program.kill()


def check_books(program: Program, rounds: int) -> None:
    """A run that speaks and its messages are one transaction."""
    outbox, history = program.outbox(), program.history()
    spoke = {line.record.run for line in history if line.record.verdict is Verdict.SAID}

    assert {each.status for each in outbox} == {Status.SENT}, program.errors
    assert spoke <= {each.message.origin.run for each in outbox}
    assert len(spoke) > rounds
    assert program.integrity == "ok"
    assert "Traceback" not in program.errors
    assert "Warning" not in program.errors


def test_nothing_committed_is_lost_or_said_twice(tmp_path: Path, slack: FakeSlack, rounds: int) -> None:
    slack.fault("slow", delay=0.03)
    program = program_for(slack, tmp_path)

    kill_at_random_moments(program, random.Random(2026), rounds)
    slack.clear_faults()
    kill_between_acceptance_and_mark(program, slack)

    for address in IDS:
        assert arrived(slack, address) == committed(program, address), program.errors
    assert "delivery found" in program.errors
    check_books(program, rounds)


@pytest.mark.thorough
def test_where_slack_cannot_be_asked_only_what_was_under_way_comes_twice(tmp_path: Path, blind: FakeSlack) -> None:
    blind.fault("slow", delay=0.03)
    program = program_for(blind, tmp_path)

    kill_at_random_moments(program, random.Random(11), 5)
    program.start()
    time.sleep(0.3)
    ended = program.stop()

    assert ended == 0, program.errors
    for address in IDS:
        seen = arrived(blind, address)
        assert list(dict.fromkeys(seen)) == committed(program, address), program.errors
        assert len(seen) - len(set(seen)) <= 5 * UNMARKED
    check_books(program, 5)


@pytest.mark.thorough
def test_one_that_cannot_be_found_is_repeated_rather_than_lost(tmp_path: Path, blind: FakeSlack) -> None:
    program = program_for(blind, tmp_path)

    twice = kill_between_acceptance_and_mark(program, blind)

    seen = arrived(blind, "slack:#ops")
    assert list(dict.fromkeys(seen)) == committed(program, "slack:#ops")
    assert [key for key in set(seen) if seen.count(key) > 1] == [twice]
    assert "cannot look whether a message arrived" in program.errors


def kill_between_acceptance_and_mark(program: Program, slack: FakeSlack) -> str:
    """Kill it while it waits for the answer to an accepted message; return its key when the next life is over."""
    slow = slack.fault("slow", method="chat.postMessage", channel="#ops", skip=3, times=1, delay=30)
    try:
        program.start()
        program.wait_until(lambda: slow.hits == 1, "a message is under way")
        time.sleep(0.3)
        program.kill()
        accepted = arrived(slack, "slack:#ops")[-1]
        assert accepted in keys(program, Status.QUEUED)
        program.start()
        program.wait_until(lambda: accepted in keys(program, Status.SENT), "it is marked")
        assert program.stop() == 0, program.errors
        return accepted
    finally:
        program.kill()


def keys(program: Program, status: Status) -> list[str]:
    return [each.message.key for each in program.outbox() if each.status is status]
