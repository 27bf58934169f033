"""The fake Slack calls an app over HTTP as Slack does: Bolt, a receiver that is not ours, takes what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request import BoltRequest

from slack_alert.engine.clock import SystemClock
from tests.fakes.slack_events import event_body, message_event, press_payload, slash_form
from tests.fakes.slack_hooks import SECRET, SlackSender
from tests.fakes.virtual_loop import LoopClock, VirtualLoop, run_virtually

MESSAGE = message_event("!deploy shop", user="U0ANN", channel="C0OPS", ts="1796040000.000100")


class Bolt:
    """An app of Bolt's that notes what it heard."""

    def __init__(self, secret: str = SECRET) -> None:
        self.heard: list[tuple[str, str]] = []
        self.app = App(
            signing_secret=secret,
            authorize=lambda: AuthorizeResult(
                enterprise_id=None, team_id="T0TEST", bot_token="xoxb-test", bot_id="B0ALERT", bot_user_id="U0BOT"
            ),
            process_before_response=True,
        )
        self.app.event("message")(lambda event: self.heard.append(("event", event["text"])))
        self.app.command("/deploy")(self._on_command)
        self.app.action("ack")(self._on_action)

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        assert path.startswith("/hooks/slack/")
        answer = self.app.dispatch(BoltRequest(body=body.decode(), headers=dict(headers)))
        first = {name: values[0] for name, values in answer.headers.items()}
        return answer.status, first, str(answer.body).encode()

    def _on_command(self, ack: Any, command: dict[str, str]) -> None:
        ack()
        self.heard.append(("command", command["text"]))

    def _on_action(self, ack: Any, action: dict[str, str]) -> None:
        ack()
        self.heard.append(("action", action["value"]))


def sender(bolt: Bolt) -> SlackSender:
    return SlackSender(bolt.post, SystemClock())


@pytest.mark.slow
def test_bolt_takes_events_commands_and_buttons() -> None:
    bolt = Bolt()
    slack = sender(bolt)
    message = {"type": "message", "ts": "1796040000.000100", "user": "U0BOT", "text": "disk is full"}
    shown: Any = {"user": "U0ANN", "name": "ann", "channel": "C0OPS", "channel_name": "ops", "trigger": "1.2.3"}

    async def whole() -> list[bool]:
        return [
            await slack.event(event_body(MESSAGE, event_id="Ev01", at=1_796_040_000)),
            await slack.command(slash_form("/deploy", "shop prod", response_url="http://x/", **shown)),
            await slack.interaction(
                press_payload("ack", "disk", message=message, at="1796040001.000200", response_url="http://x/", **shown)
            ),
        ]

    assert asyncio.run(whole()) == [True, True, True]
    assert bolt.heard == [("event", "!deploy shop"), ("command", "shop prod"), ("action", "disk")]
    assert slack.sent == [200, 200, 200]


@pytest.mark.slow
def test_bolt_proves_that_an_address_is_its_own() -> None:
    assert asyncio.run(sender(Bolt()).verify("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")) == (
        b'{"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'
    )


@pytest.mark.slow
def test_bolt_refuses_another_signing_secret() -> None:
    bolt = Bolt("another")

    async def whole() -> bool:
        return await sender(bolt).command({"command": "/deploy", "text": "x", "team_id": "T0TEST", "user_id": "U0ANN"})

    assert asyncio.run(whole()) is False
    assert bolt.heard == []


@pytest.mark.parametrize(
    ("answers", "deliveries", "seconds"),
    [
        ([200], 1, 0),
        ([500, 200], 2, 0),
        ([500, 404, 200], 3, 60),
        ([500, 500, 500, 200], 4, 360),
        ([500, 500, 500, 500], 4, 360),
        (["no retry"], 1, 0),
        (["late", 200], 2, 3),
    ],
)
def test_an_event_comes_again_at_once_after_a_minute_and_after_five(
    answers: list[int | str], deliveries: int, seconds: float
) -> None:
    loop = VirtualLoop()
    clock = LoopClock(loop)
    arrived: list[Mapping[str, str]] = []

    async def post(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        answer = answers[len(arrived)]
        arrived.append(headers)
        if answer == "late":
            await asyncio.sleep(10)
        return (500, {"X-Slack-No-Retry": "1"}, b"") if answer == "no retry" else (int(answer), {}, b"")

    async def whole() -> None:
        await SlackSender(post, clock).event(event_body(MESSAGE, event_id="Ev01", at=1_796_040_000))

    run_virtually(loop, whole())

    numbers = [headers.get("X-Slack-Retry-Num") for headers in arrived]
    assert numbers == [None, "1", "2", "3"][:deliveries]
    assert clock.monotonic() == seconds
    if answers[0] == "late":
        assert arrived[1]["X-Slack-Retry-Reason"] == "http_timeout"
