"""The verbs of the program in Slack, as a conversation: what people write, and what they read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack

PLUGINS = """
    @deco(command="deploy", allow="members")
    def deploy(app: str):
        '''Put an application into production.'''
        return f"{app} is deployed"


    @deco(hours=1, to="#ops")
    def disk():
        return "disk 93 %"
"""

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack) -> str:
    return f"""
        token = xoxb-test
        channel = #ops
        api_url = {slack.url}
        messages_per_second = 0
        [chat]
        poll = 1s
        channels = #ops, #test
        admins = U0ANN
    """


BOB, ANN = "U0BOB", "U0ANN"


class Conversation:
    """Writes to a program in Slack, and waits for the answers."""

    def __init__(self, slack: FakeSlack, program: Program) -> None:
        self._slack, self._program = slack, program

    def says(self, *lines: tuple[str, str, str]) -> list[str]:
        """Write lines (who, where, what) at once, and return their answers."""
        asked = [self._slack.say(channel, text, user=user) for user, channel, text in lines]

        def answers() -> dict[str, str]:
            return {each.thread_ts: each.text for each in self._slack.messages if each.thread_ts}

        self._program.wait_until(lambda: all(each.ts in answers() for each in asked), f"the answers to {lines}")
        return [answers()[each.ts] for each in asked]


def test_people_ask_and_change_in_slack_and_texts_stay_in_their_channel(tmp_path: Path) -> None:
    with FakeSlack() as slack:
        slack.say("#ops", "before", user=ANN)
        slack.say("#test", "before", user=ANN)
        with running(tmp_path, PLUGINS, conf(slack)) as program:
            program.wait_until(lambda: program.stored.count("slack.polled") == 2, "the channels were read")
            room = Conversation(slack, program)
            helped, denied, paused, ran, subscribed = room.says(
                (BOB, "#ops", "!help"),
                (BOB, "#ops", "!pause disk for 2h"),
                (ANN, "#ops", "!pause disk for 2h"),
                (ANN, "#ops", "!run disk"),
                (ANN, "#test", "!subscribe deploy"),
            )
            why, here, elsewhere, _ = room.says(
                (BOB, "#ops", "!why pause"),
                (ANN, "#ops", "!history disk"),
                (ANN, "#test", "!history disk"),
                (BOB, "#ops", "!deploy secret-shop"),
            )
            told = [each for each in slack.messages if "deploy of" in each.text]
            ended = program.stop()

    assert helped.startswith("`deploy` Put an application into production.")
    assert "`pause`" not in helped
    assert denied.startswith("denied: `pause` is for")
    assert [part in why for part in ("was denied at", "`pause` is for")] == [True, True]
    assert paused.startswith("jobs.disk is paused until")
    assert ran.endswith("disk 93 %")
    assert subscribed.startswith("This conversation is told when `deploy` starts and ends")
    assert "disk 93 %" in here
    assert "disk 93 %" not in elsewhere
    assert "(shown in" in elsewhere
    assert len(told) == 2
    assert not any("secret-shop" in each.text for each in told)
    assert (ended, "Traceback" in program.errors) == (0, False)
