"""Buttons on alerts in a real program: Socket Mode, presses by two people at once, a denial to one of them alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack, Posted

PLUGINS = """
    @deco(minutes=50, at_start=True)
    def usage():
        return "91 % at https://disk.example.org"
"""

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack) -> str:
    return f"""
        token = xoxb-test
        app_token = xapp-1-A0ALERT-test
        channel = #ops
        api_url = {slack.url}
        messages_per_second = 0
        [chat]
        admins = U0ANN, U0BOB
    """


def alert(slack: FakeSlack) -> Posted:
    (found,) = [each for each in slack.messages if each.text.startswith("91 %")]
    return found


def pressed(message: Posted) -> list[str]:
    """Return the lines that the buttons of a message ask for."""
    elements = [each for block in message.blocks or [] for each in block.get("elements", [])]
    return [f"{each['action_id']} {each['value']}" for each in elements]


def replies(slack: FakeSlack) -> list[str]:
    return [each.text for each in slack.messages if each.thread_ts == alert(slack).ts]


def press(slack: FakeSlack, user: str, number: int) -> None:
    action, _, value = pressed(alert(slack))[number].partition(" ")
    slack.socket.presses(user, action, value, message=alert(slack))


def started(program: Program, slack: FakeSlack) -> None:
    program.wait_until(lambda: any(each.blocks for each in slack.messages), "the alert")
    # A press that finds no socket is lost.
    program.wait_until(lambda: "door open" in program.errors, "the door")


def test_two_people_acknowledge_at_once_and_the_alert_shows_one_of_them(tmp_path: Path) -> None:
    with FakeSlack() as slack, running(tmp_path, PLUGINS, conf(slack)) as program:
        started(program, slack)
        assert pressed(alert(slack)) == ["ack jobs.usage", "mute jobs.usage for 1h", "run jobs.usage", "why jobs.usage"]
        shown = alert(slack)
        for user in ("U0ANN", "U0BOB"):
            slack.socket.presses(user, "ack", "jobs.usage", message=shown)
        program.wait_until(lambda: "taken care of" in alert(slack).text, "the edit")
        program.wait_until(lambda: len(replies(slack)) == 2, "both answers")

        assert alert(slack).text.count("taken care of by") == 1
        assert pressed(alert(slack)) == ["mute jobs.usage for 1h", "run jobs.usage", "why jobs.usage"]
        assert all("taken care of by" in each for each in replies(slack))
        assert program.stop() == 0
    assert "Traceback" not in program.errors


def test_who_may_not_is_told_alone_and_the_alert_stays_as_it_is(tmp_path: Path) -> None:
    with (
        FakeSlack(users={"U0ANN": "ann", "U0BOB": "bob", "U0EVE": "eve"}) as slack,
        running(tmp_path, PLUGINS, conf(slack)) as program,
    ):
        started(program, slack)
        press(slack, "U0EVE", 0)
        program.wait_until(lambda: any(each.answers for each in slack.workspace.response_urls.values()), "the denial")

        (answer,) = [each for url in slack.workspace.response_urls.values() for each in url.answers]
        assert (answer["response_type"], replies(slack)) == ("ephemeral", [])
        assert "hooks" not in program.errors
        assert len(pressed(alert(slack))) == 4


def test_why_and_mute_answer_in_the_thread_of_the_alert(tmp_path: Path) -> None:
    with FakeSlack() as slack, running(tmp_path, PLUGINS, conf(slack)) as program:
        started(program, slack)
        press(slack, "U0ANN", 3)
        press(slack, "U0ANN", 1)
        program.wait_until(lambda: len(replies(slack)) == 2, "both answers")

        why, mute = replies(slack)
        assert why.startswith("ann: why jobs.usage\n")
        assert mute.startswith("ann: mute jobs.usage for 1h\n")
