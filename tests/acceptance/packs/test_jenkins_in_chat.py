"""Jenkins from the chat, in a real program: a deploy that goes well, one that fails, and one that is canceled."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET
from tests.fakes.jenkins import TOKEN, USER, FakeJenkins, FakeJob
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

PLUGIN = """
    @deco(on="jenkins.build_ended", to="dingtalk:bot/@0123", max_alert=0)
    def told(service, number, result):
        return f"heard of {service} {number}: {result}"
"""


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    with FakeJenkins() as fake:
        fake.add("team", "shop", parameters=[{"name": "VERSION", "type": "StringParameterDefinition"}])
        yield fake


@pytest.fixture
def program(jenkins: FakeJenkins, dingtalk: FakeDingTalk, tmp_path: Path) -> Iterator[Program]:
    conf = f"""
        [dingtalk.bot]
        client_id = {CLIENT_ID}
        client_secret = {CLIENT_SECRET}
        api_url = {dingtalk.url}
        door = stream
        [jenkins]
        url = {jenkins.url}
        user = {USER}
        token = {TOKEN}
        [jenkins.services]
        shop = team/job/shop
        [permissions]
        deploy = dingtalk:0123
        cancel = members
        log = members
    """
    with running(tmp_path, PLUGIN, conf) as started:
        dingtalk.wait_for_sockets(1)
        yield started


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as fake:
        yield fake


def shown(dingtalk: FakeDingTalk, text: str) -> Callable[[], bool]:
    return lambda: any(text in card for cards in dingtalk.card_texts() for card in cards)


def build_of(program: Program, job: FakeJob, number: int) -> None:
    program.wait_until(lambda: len(job.builds) == number, "it is started")


def test_a_deploy_is_followed_to_its_result_and_is_an_event(
    program: Program, jenkins: FakeJenkins, dingtalk: FakeDingTalk
) -> None:
    job = jenkins.jobs["job/team/job/shop"]
    dingtalk.says("deploy shop 1.4.2")
    build_of(program, job, 1)
    job.builds[0].log = "pulling\nmigrating\n"
    program.wait_until(shown(dingtalk, "#1 migrating"), "the log is shown")
    job.builds[0].result = "SUCCESS"
    program.wait_until(shown(dingtalk, "succeeded after 42s"), "it is told")
    program.wait_until(shown(dingtalk, "heard of shop 1: SUCCESS"), "the rule answers")

    assert jenkins.posted == [("job/team/job/shop/buildWithParameters", {"VERSION": "1.4.2"})]
    dingtalk.says("deploy shop 1.4.3", staff="0124")
    program.wait_until(shown(dingtalk, "denied: "), "another one may not")
    assert len(job.builds) == 1


def test_a_deploy_that_fails_tells_the_stage_and_the_last_lines(
    program: Program, jenkins: FakeJenkins, dingtalk: FakeDingTalk
) -> None:
    job = jenkins.jobs["job/team/job/shop"]
    dingtalk.says("deploy shop")
    build_of(program, job, 1)
    job.builds[0].log = "pulling\nno such host\n"
    job.builds[0].stages = [{"name": "Smoke test", "status": "FAILED"}]
    job.builds[0].result = "FAILURE"
    program.wait_until(shown(dingtalk, "in the stage Smoke test"), "it is told")
    program.wait_until(shown(dingtalk, "pulling\nno such host"), "with the last lines")

    assert TOKEN not in json.dumps(dingtalk.card_texts()) + program.errors + program.out


def test_who_cancels_stops_the_build(program: Program, jenkins: FakeJenkins, dingtalk: FakeDingTalk) -> None:
    job = jenkins.jobs["job/team/job/shop"]
    dingtalk.says("deploy shop")
    build_of(program, job, 1)
    program.wait_until(shown(dingtalk, "running"), "it goes on")
    number = _number(program)
    dingtalk.says(f"cancel {number}")
    program.wait_until(lambda: job.builds[0].ways != [], "it is asked to stop")
    job.builds[0].result = "ABORTED"

    assert job.builds[0].ways[0] == "stop"


def _number(program: Program) -> int:
    """Return the number of the run that goes on."""
    until = time.monotonic() + 10
    while not (found := re.findall(r"progress  run=(\d+)", program.errors)):
        assert time.monotonic() < until, program.errors
        time.sleep(0.05)
    return int(found[-1])
