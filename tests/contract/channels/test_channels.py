"""The contract of channels, the same for all services."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from slack_alert.channels.console import ConsoleChannel
from slack_alert.channels.slack import SlackChannel
from slack_alert.core.content.pieces import Blocks, Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.ports import Channel
from tests.fakes.slack import FakeSlack

PIECES = {
    "text": (Text("disk is full"), "disk is full"),
    "several lines": (Text("disk\nis full"), "is full"),
    "blocks": (
        Blocks({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "disk is full"}}]}),
        "disk is full",
    ),
    "Slack's own text": (Blocks({"text": "disk is *full*"}), "disk is *full*"),
    "file": (Upload("disk.txt", b"full", comment="disk is full"), "disk is full"),
    "a lone surrogate": (Text("disk \ud83d full"), "full"),
}


@dataclass(frozen=True, slots=True)
class Rig:
    channel: Channel
    #: What people see, in one text a message.
    shown: Callable[[], Sequence[str]]


def console() -> Iterator[Rig]:
    stream = io.StringIO()
    yield Rig(ConsoleChannel(stream, colour=False, zone=timezone.utc), lambda: stream.getvalue().splitlines())


def slack() -> Iterator[Rig]:
    with FakeSlack() as fake:
        channel = SlackChannel("xoxb-test", api_url=fake.url)
        yield Rig(channel, lambda: [message.text for message in fake.messages])


@pytest.fixture(params=[console, slack], ids=["console", "slack"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from request.param()


def deliveries(channel: Channel, *pieces: Piece) -> list[Delivery]:
    to = Address(channel.name, "#ops")
    now = datetime.now(timezone.utc)
    return [Delivery(number, Message(f"key-{number}", to, piece), now) for number, piece in enumerate(pieces, start=1)]


def sent(channel: Channel, *waiting: Delivery, text: str | None = None) -> list[SendResult]:
    async def send() -> list[SendResult]:
        await channel.open()
        outcomes = [await channel.send(delivery, text) for delivery in waiting]
        await channel.close()
        return outcomes

    return asyncio.run(send())


@pytest.mark.parametrize(("piece", "words"), PIECES.values(), ids=PIECES)
def test_every_kind_of_message_is_accepted_and_shown(rig: Rig, piece: Piece, words: str) -> None:
    (outcome,) = sent(rig.channel, *deliveries(rig.channel, piece))

    assert SendStatus.SENT is outcome.status
    assert words in "\n".join(rig.shown())


def test_messages_are_shown_in_the_order_they_were_sent(rig: Rig) -> None:
    texts = [f"number {number}" for number in range(10)]

    sent(rig.channel, *deliveries(rig.channel, *(Text(text) for text in texts)))

    assert texts == [shown[-len("number 0") :] for shown in rig.shown()]


def test_another_text_takes_the_place_of_a_text(rig: Rig) -> None:
    sent(rig.channel, *deliveries(rig.channel, Text("disk is full")), text="[09:30] disk is full")

    (shown,) = rig.shown()
    assert shown.endswith("[09:30] disk is full")


def test_nothing_is_found_that_was_never_sent(rig: Rig) -> None:
    unsent = deliveries(rig.channel, Text("one"))

    found = asyncio.run(_found(rig.channel, unsent))

    assert not found


def test_a_channel_may_be_closed_unopened_and_twice(rig: Rig) -> None:
    async def close() -> None:
        await rig.channel.close()
        await rig.channel.open()
        await rig.channel.close()
        await rig.channel.close()

    asyncio.run(close())

    assert list(rig.shown()) == []


async def _found(channel: Channel, waiting: Sequence[Delivery]) -> object:
    await channel.open()
    found = await channel.lookup(waiting, None)
    await channel.close()
    return found
