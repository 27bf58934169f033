"""Commands by sockets of which each is replaced every few seconds, every envelope delivered three times."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import Delivery, DeliveryMode, Status
from slack_alert.core.model.record import Verdict
from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack

PLUGINS = """
    @deco(command="deploy", allow="members")
    def deploy(app: str):
        with open("called.txt", "a") as file:
            file.write(app + "\\n")
        return f"{app} is deployed"
"""
#: Seconds between two commands.
EVERY = 0.1
COPIES = 3

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack) -> str:
    return f"""
        token = {slack.workspace.token}
        app_token = {slack.workspace.app_token}
        channel = #ops
        api_url = {slack.url}
        messages_per_second = 0
        [chat]
        rate = 0
    """


def ask(slack: FakeSlack, count: int) -> None:
    """Write half of the commands, which Slack sends again, and give half of them with a slash, which it does not."""
    begun = time.monotonic()
    for number in range(count):
        if number % 2:
            slack.socket.slash("U0ANN", "/slack-alert", f"deploy a{number}")
        else:
            slack.socket.says("U0ANN", f"!deploy a{number}")
        time.sleep(max(0.0, begun + (number + 1) * EVERY - time.monotonic()))


def called(program: Program) -> list[str]:
    file = program.folder / "called.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def how_it_ended(delivery: Delivery) -> str:
    """Return how a run ended; what was given with a slash is named on a line before."""
    return next((line.split()[0] for line in fallback(delivery.message.piece).splitlines() if "done" in line), "")


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("lifetime", "lasts"), [(2.5, 5.0), pytest.param(5.0, 60.0, marks=pytest.mark.thorough)])
def test_nothing_is_lost_and_nothing_runs_twice_while_each_socket_is_replaced(
    tmp_path: Path, lifetime: float, lasts: float
) -> None:
    count = round(lasts / EVERY)
    with FakeSlack() as slack:
        slack.socket.rules.lifetime, slack.socket.rules.copies = lifetime, COPIES
        with running(tmp_path, PLUGINS, conf(slack)) as program:
            slack.socket.wait(lambda: len(slack.socket.sockets) >= 2)
            ask(slack, count)
            program.wait_until(lambda: len(called(program)) >= count, "all have run", 60)
            program.wait_until(lambda: all(each.status is Status.SENT for each in program.outbox()), "all was sent", 60)
            program.stop()

            runs = Counter(called(program))
            verdicts = Counter(line.record.verdict for line in program.history("deploy"))
            outbox = program.outbox()

    posted = [each.message for each in outbox if each.message.manner is DeliveryMode.POST]
    last = {each.message.origin.run: how_it_ended(each) for each in outbox}
    assert runs == dict.fromkeys((f"a{number}" for number in range(count)), 1)
    assert verdicts == {Verdict.SAID: count}
    assert (len(posted), Counter(last.values())) == (count, {"done": count})
    assert len({message.origin.run for message in posted}) == count
    assert slack.socket.opened > lasts / lifetime
    assert len(slack.socket.acknowledgements) > 2 * count
