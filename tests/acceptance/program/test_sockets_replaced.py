"""Sockets that are replaced all the time, and envelopes that come three times: nothing lost, nothing twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.acceptance.program.test_flood_of_commands import PLUGINS, answers, called, conf
from tests.fakes.program import running
from tests.fakes.slack import FakeSlack, Posted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("lifetime", "lasts"), [(0.5, 4.0), pytest.param(5.0, 60.0, marks=[pytest.mark.thorough, pytest.mark.timeout(180)])]
)
def test_nothing_is_lost_or_done_twice_while_sockets_are_replaced(
    tmp_path: Path, lifetime: float, lasts: float
) -> None:
    with FakeSlack() as slack:
        slack.socket.rules.lifetime, slack.socket.rules.copies = lifetime, 3
        slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.5, (0.1,) * 100
        with running(tmp_path, PLUGINS, conf(slack, 0)) as program:
            slack.socket.wait(lambda: slack.socket.sockets)
            asked, until = list[Posted](), time.monotonic() + lasts
            while time.monotonic() < until:
                asked.append(slack.socket.says("U0ANN", f"!deploy a{len(asked)}"))
                time.sleep(0.05)
            expected = [f"a{number}" for number in range(len(asked))]
            program.wait_until(lambda: len(called(program)) >= len(asked), "all have run", 30)
            program.wait_until(lambda: all(answers(slack, each) for each in asked), "all is answered", 30)
            opened = slack.socket.opened
            code = program.stop()

        assert code == 0
        assert sorted(called(program)) == sorted(expected)
        assert opened >= lasts / lifetime
        assert {len(answers(slack, each)) for each in asked} == {1}
        assert "Traceback" not in program.errors
