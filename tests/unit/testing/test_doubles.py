from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from slack_alert.core.content.pieces import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.ports import Channel, Clock
from slack_alert.testing import MONDAY, FakeClock, RecordingChannel


def delivery(id_: int = 1, text: str = "a &amp; b") -> Delivery:
    return Delivery(id_, Message(f"key-{id_}", Address("slack", "#ops"), Text(text)), MONDAY)


def test_a_clock_stands_still_until_it_is_told_to_go_on() -> None:
    clock = FakeClock()

    moments = [clock.now(), clock.advance(timedelta(hours=1), minutes=5), clock.now()]

    assert [MONDAY, MONDAY + timedelta(minutes=65), MONDAY + timedelta(minutes=65)] == moments
    assert clock.monotonic() == 65 * 60


def test_sleeping_on_a_clock_lets_time_pass_and_others_take_their_turn() -> None:
    clock: Clock = FakeClock()
    seen: list[str] = []

    async def sleeper(name: str) -> None:
        for _ in range(2):
            await clock.sleep(30)
            seen.append(name)

    async def both() -> None:
        await asyncio.gather(sleeper("a"), sleeper("b"))

    asyncio.run(both())

    assert seen == ["a", "b", "a", "b"]
    assert clock.now() == MONDAY + timedelta(minutes=2)


def test_a_channel_answers_as_the_script_says_and_then_accepts() -> None:
    recording = RecordingChannel([SendStatus.RETRY, SendResult(SendStatus.WAIT, after=timedelta(seconds=5))])
    channel: Channel = recording

    async def attempts() -> list[SendResult]:
        await channel.open()
        return [await channel.send(delivery(number), None) for number in (1, 1, 1, 2)]

    outcomes = asyncio.run(attempts())

    assert outcomes == [
        SendResult(SendStatus.RETRY),
        SendResult(SendStatus.WAIT, after=timedelta(seconds=5)),
        SendResult(SendStatus.SENT, "1"),
        SendResult(SendStatus.SENT, "2"),
    ]
    assert ([one.id for one in recording.attempts], [one.id for one in recording.sent]) == ([1, 1, 1, 2], [1, 2])
    assert recording.texts == ["a & b", "a & b"]
    assert recording.is_open


def test_a_channel_keeps_the_text_that_took_the_place_of_a_message() -> None:
    channel = RecordingChannel()

    asyncio.run(channel.send(delivery(), "10:00 a &lt; b"))

    assert channel.texts == ["10:00 a < b"]


@pytest.mark.parametrize(("can_tell", "found"), [(True, {1: "lost", 3: "1"}), (False, None)])
def test_a_channel_finds_what_it_accepted_though_its_answer_was_lost(
    can_tell: bool,
    found: dict[int, str] | None,
) -> None:
    channel = RecordingChannel([SendResult(SendStatus.AMBIGUOUS, "lost"), SendStatus.AMBIGUOUS], can_tell=can_tell)

    async def look() -> object:
        three = [delivery(number) for number in (1, 2, 3)]
        for one in three:
            await channel.send(one, None)
        await channel.close()
        return await channel.lookup(three, None)

    assert asyncio.run(look()) == found
    assert not channel.is_open
