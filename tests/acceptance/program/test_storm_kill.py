"""The program is killed in the middle of a storm: everything is said, or counted in a message that is, and once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import Delivery, Status
from tests.fakes.program import Program
from tests.fakes.slack import FakeSlack

JOBS = """
    import time

    @deco(seconds=0.2)
    def noisy():
        for _ in range(30):
            yield f"noisy {time.time_ns()}"

    @deco(seconds=0.5)
    def quiet():
        return f"quiet {time.time_ns()}"
"""
CONF = "token = xoxb-test\nchannel = #ops\nmax_alert = 0\nmessages_per_second = 2\nburst = 1\napi_url = {url}\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60), pytest.mark.thorough]


def collapsed(program: Program) -> list[Delivery]:
    return [each for each in program.outbox() if each.status is Status.COLLAPSED]


def counted_in(summaries: list[Delivery]) -> int:
    found = [re.search(r"instead of said: ([\d,]+) message", fallback(each.message.piece)) for each in summaries]
    return sum(int(each[1].replace(",", "")) for each in found if each is not None)


@pytest.mark.thorough
def test_what_is_counted_and_its_count_survive_together(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with FakeSlack() as slack:
        program = Program(tmp_path / "program", JOBS, CONF.format(url=slack.url))
        try:
            for _ in range(3 if request.config.getoption("thorough") else 1):
                kill_in_a_storm(program)
                assert program.integrity == "ok"
                check_count(program)
            # Nothing new comes, and nothing holds up what is left.
            program.write("@deco(hours=1)\ndef calm():\n    return None\n")
            conf = CONF.format(url=slack.url).replace("second = 2", "second = 0")
            (program.folder / "slack_alert.conf").write_text(f"[slack]\n{conf}", encoding="utf-8")
            program.start()
            program.wait_until(
                lambda: all(each.status is not Status.QUEUED for each in program.outbox()), "all is said", step=0.2
            )
            assert program.stop() == 0, program.errors
        finally:
            program.kill()
        seen = [each.metadata["event_payload"]["id"] for each in slack.messages if each.metadata is not None]

    sent = [each.message.key for each in program.outbox() if each.status is Status.SENT]
    assert sorted(seen) == sorted(sent)
    check_count(program)
    assert any("quiet" in each.text for each in slack.messages)


def kill_in_a_storm(program: Program) -> None:
    before = len(collapsed(program))
    program.start()
    program.wait_until(lambda: len(collapsed(program)) > before, "a storm is counted", step=0.2)
    program.kill()


def check_count(program: Program) -> None:
    outbox = program.outbox()
    summaries = [each for each in outbox if each.message.key.startswith("storm/")]

    assert counted_in(summaries) == len(collapsed(program))
    assert {each.reason for each in collapsed(program)} == {f"counted in {each.message.key}" for each in summaries}
