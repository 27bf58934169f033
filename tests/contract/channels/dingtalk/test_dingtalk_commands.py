"""From a frame of DingTalk to the answer: who may is told by the staff id, and it is answered where it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from slack_alert.channels.dingtalk.inbound.corporation import OwnCorporation
from slack_alert.channels.dingtalk.inbound.http import DingTalkHooks
from slack_alert.channels.dingtalk.inbound.people import DingTalkPeople
from slack_alert.channels.dingtalk.inbound.stream import DingTalkStreamDoor
from slack_alert.core.commands.addressing import Addressing, asked_text, first_words, pressed_text
from slack_alert.core.content.markup import plain
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.commands.intake import ChatIntake
from slack_alert.engine.commands.people import PeopleOfServices
from slack_alert.engine.context.key_value import key_value_stores
from slack_alert.engine.ports import Door, WebRequest
from slack_alert.testing.manual_clock import FakeClock
from tests.fakes.chat_rig import START, ChatRig, command
from tests.fakes.dingtalk_payloads import (
    CLIENT_ID,
    CLIENT_SECRET,
    CONVERSATION,
    CORPORATION,
    message_body,
    signed_headers,
)
from tests.fakes.dingtalk_stream import MESSAGES, FakeDingTalkStream

pytestmark = pytest.mark.slow
PING = command("ping")
NOW = START.timestamp()
GROUP = f"dingtalk:bot/{CONVERSATION}"


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalkStream]:
    with FakeDingTalkStream() as fake:
        yield fake
        assert fake.gateway.violations == []


class Program:
    """Commands with an intake, as a program has them."""

    def __init__(self) -> None:
        self.rig = ChatRig(PING)
        people: Any = PeopleOfServices({"dingtalk": DingTalkPeople()})
        self.rig.people = people
        self.rig.start()
        words = first_words(self.rig.commands)
        self.intake = ChatIntake(self.rig.engine, partial(_line, Addressing(first_words=words)))

    def answered(self) -> set[tuple[str, str]]:
        """End what runs, and return where which answers went."""
        for number in self.rig.executor.running:
            self.rig.executor.end(number, value="pong")
        answers = [one.message for one in self.rig.store.deliveries()]
        return {(str(each.to), plain(fallback(each.piece)).splitlines()[-1]) for each in answers}

    def open(self, door: Door, act: Callable[[], Awaitable[object]]) -> None:
        async def whole() -> None:
            running = asyncio.ensure_future(door.run(self.intake))
            await asyncio.sleep(0)
            try:
                await act()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        asyncio.run(whole())


def _line(addressing: Addressing, said: ChatMessage | ButtonPress) -> str | None:
    if isinstance(said, ButtonPress):
        return pressed_text(said, addressing.first_words)
    return asked_text(said, addressing)


def stream(dingtalk: FakeDingTalkStream) -> DingTalkStreamDoor:
    return DingTalkStreamDoor(
        "bot", CLIENT_ID, CLIENT_SECRET, FakeClock(START), keep_session=lambda *_: None, api_url=dingtalk.url
    )


def asked(dingtalk: FakeDingTalkStream, *bodies: dict[str, Any]) -> Program:
    program = Program()

    async def act() -> None:
        await asyncio.to_thread(dingtalk.wait_for_sockets, 1)
        await asyncio.to_thread(dingtalk.sends, MESSAGES, *bodies)
        await asyncio.to_thread(dingtalk.wait_for_acknowledgements, len(bodies))

    program.open(stream(dingtalk), act)
    return program


@pytest.mark.parametrize("text", ["ping", "!ping", "/ping", "！ping"])
def test_a_member_who_mentions_the_robot_in_a_group_is_answered_there(dingtalk: FakeDingTalkStream, text: str) -> None:
    program = asked(dingtalk, message_body(text, at=NOW))

    assert [run.action.name for run in program.rig.executor.begun] == ["plugin.ping"]
    assert program.answered() == {(GROUP, "pong")}


def test_a_member_who_writes_to_the_robot_alone_is_answered_alone(dingtalk: FakeDingTalkStream) -> None:
    program = asked(dingtalk, message_body("ping", at=NOW, direct=True))

    assert (len(program.rig.executor.begun), program.answered()) == (1, {("dingtalk:bot/@0123", "pong")})


def test_the_same_message_again_runs_nothing_again(dingtalk: FakeDingTalkStream) -> None:
    program = asked(dingtalk, *[message_body("ping", at=NOW)] * 3)

    assert len(program.rig.executor.begun) == 1


@pytest.mark.parametrize(
    "fields", [{"senderStaffId": None}, {"senderCorpId": "dinganother"}, {"senderCorpId": None, "isAdmin": True}]
)
def test_strangers_are_denied_and_that_is_recorded(dingtalk: FakeDingTalkStream, fields: dict[str, Any]) -> None:
    program = asked(dingtalk, {**message_body("ping", at=NOW), **fields})

    assert (program.rig.executor.begun, program.rig.audited) == ([], ["denied"])


def test_what_is_older_than_ten_minutes_expires(dingtalk: FakeDingTalkStream) -> None:
    program = asked(dingtalk, message_body("ping", at=NOW - 601))

    assert (program.rig.executor.begun, program.rig.audited) == ([], ["expired"])


def test_a_picture_or_a_recording_runs_nothing(dingtalk: FakeDingTalkStream) -> None:
    said = {"msgtype": "audio", "content": {"recognition": "ping"}}
    program = asked(dingtalk, {**message_body("ping", at=NOW, number="a"), **said})

    assert program.rig.executor.begun == []


def test_a_button_of_a_card_runs_its_command_for_who_pressed(dingtalk: FakeDingTalkStream) -> None:
    program = Program()
    values = key_value_stores((), write=lambda _: None, now=program.rig.clock.now)(".chat")
    values.set("dingtalk.corporation/bot", CORPORATION)
    # As after a restart: nobody has written since.
    door = DingTalkStreamDoor(
        "bot", CLIENT_ID, CLIENT_SECRET, FakeClock(START), keep_session=lambda *_: None, api_url=dingtalk.url,
        corporation=OwnCorporation("bot", values),
    )  # fmt: skip
    dingtalk.gateway._now = lambda: NOW

    async def act() -> None:
        await asyncio.to_thread(dingtalk.wait_for_sockets, 1)
        await asyncio.to_thread(dingtalk.presses, "ping")
        await asyncio.to_thread(dingtalk.wait_for_acknowledgements, 1)

    program.open(door, act)
    assert (len(program.rig.executor.begun), program.answered()) == (1, {(GROUP, "pong")})


def test_over_http_a_member_is_answered_and_a_recorded_signature_runs_nothing_else() -> None:
    program = Program()
    hooks = DingTalkHooks("bot", CLIENT_SECRET, FakeClock(START), keep_session=lambda *_: None)
    answer = hooks.routes()["POST", "/hooks/dingtalk/bot"]
    statuses: list[int] = []

    async def act() -> None:
        for number in ("msg1", "msg1", "msg2"):
            body = json.dumps(message_body("ping", at=NOW, number=number)).encode()
            request = WebRequest("POST", "/hooks/dingtalk/bot", signed_headers(NOW), body)
            statuses.append((await answer(request)).status)

    program.open(hooks, act)
    assert (statuses, len(program.rig.executor.begun)) == ([200, 200, 409], 1)
    assert program.answered() == {(GROUP, "pong")}
