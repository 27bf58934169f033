"""Slack's doors in a real program: over HTTP and by polling at once, through a kill in between."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from slack_alert.stores import SqliteReader
from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack, Posted
from tests.fakes.slack_events import event_body, message_event
from tests.fakes.slack_hooks import EVENTS, SECRET, signed

PLUGINS = """
    @deco(command="deploy", allow="members")
    def deploy(app: str):
        return f"{app} is deployed"


    @deco(hours=1)
    def idle():
        return None
"""

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack) -> str:
    return f"""
        token = xoxb-test
        channel = #ops
        api_url = {slack.url}
        signing_secret = {SECRET}
        messages_per_second = 0
        [web]
        listen = 127.0.0.1:0
        [chat]
        poll = 1s
        channels = #ops
    """


def told_over_http(program: Program, asked: Posted, *, secret: str = SECRET) -> int:
    """Send the event of a message, and return the status of the answer."""
    port = re.findall(r"web server started +listen=127\.0\.0\.1:(\d+)", program.errors)[-1]
    event = message_event(asked.text, user=asked.user, channel=asked.channel, ts=asked.ts)
    raw = json.dumps(event_body(event, event_id=f"Ev{asked.ts}", at=time.time())).encode()
    return _status(f"http://127.0.0.1:{port}{EVENTS}", raw, signed(raw, time.time(), secret=secret))


def _status(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, dict(headers)), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def answers(slack: FakeSlack, asked: Posted) -> list[str]:
    return [each.text.splitlines()[-1] for each in slack.messages if each.thread_ts == asked.ts]


SCHEDULERS = [
    "AsyncIOScheduler",
    pytest.param("GeventScheduler", marks=pytest.mark.thorough),
    pytest.param("TornadoScheduler", marks=pytest.mark.thorough),
    pytest.param("BackgroundScheduler", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_comes_by_two_doors_and_again_runs_once_and_a_kill_loses_nothing(tmp_path: Path, scheduler: str) -> None:
    with FakeSlack() as slack:
        slack.say("#ops", "!deploy old", user="U0ANN")
        with running(tmp_path, PLUGINS, conf(slack), "-s", scheduler) as program:
            program.wait_until(lambda: "slack.polled" in _stored(program), "the channel was read")
            first = slack.say("#ops", "!deploy shop", user="U0ANN")
            statuses = [told_over_http(program, first) for _ in range(3)]
            forged = told_over_http(program, slack.say("#test", "!deploy forged", user="U0ANN"), secret="another")
            program.wait_until(lambda: first.ts in _stored(program), "the channel was read again")
            program.wait_until(lambda: answers(slack, first) != [], "the answer")
            program.kill()

            meanwhile = slack.say("#ops", "!deploy meanwhile", user="U0ANN")
            program.start("-s", scheduler)
            program.wait_until(lambda: answers(slack, meanwhile) != [], "the answer to what was asked meanwhile")
            ended = program.stop()
            with closing(SqliteReader(program.database)) as reader:
                doors = json.loads(reader.snapshot().pulse or "{}")["doors"]

        assert {door["name"]: door["open"] for door in doors} == {"slack.http": False, "slack.polling": False}
        assert (statuses, forged, ended) == ([200, 200, 200], 401, 0)
        assert answers(slack, first) == ["shop is deployed"]
        assert answers(slack, meanwhile) == ["meanwhile is deployed"]
        assert [each.text for each in slack.messages if "deployed" not in each.text] == [
            "!deploy old", "!deploy shop", "!deploy forged", "!deploy meanwhile",
        ]  # fmt: skip
        assert "Traceback" not in program.errors


def _stored(program: Program) -> str:
    """Return the keys and values that the program keeps."""
    with closing(sqlite3.connect(program.database)) as connection:
        return str(connection.execute("SELECT * FROM entry").fetchall())


def test_a_port_in_use_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with FakeSlack() as slack, running(tmp_path, PLUGINS, conf(slack)) as first:
        first.wait_until(lambda: "web server started" in first.errors, "the web server")
        port = re.findall(r"listen=127\.0\.0\.1:(\d+)", first.errors)[-1]
        taken = conf(slack).replace("127.0.0.1:0", f"127.0.0.1:{port}")
        second = Program(tmp_path / "second", PLUGINS, taken)
        second.start(is_awaited=False)

        assert second.ended() == 2
        assert second.errors == (
            f"slack-alert: [web]: listen = 127.0.0.1:{port}: the port is in use by another program. "
            "End that program, or write another port.\n"
        )
