"""Laws of a service that fails at random, answers by halves, and has another clock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import Batch
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.delivery.sender import SendRate
from slack_alert.stores.memory import MemoryStore
from tests.contract.slack_rig import TOKEN
from tests.fakes.outbox import Outbox
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Kind
from tests.fakes.slack_halves import HALVES

#: How much faster than in life the sender waits.
HASTE = 300.0
PATIENCE = 30.0
OPS, TEST = Address("slack", "#ops"), Address("slack", "C0TEST")
CHANNELS = {OPS: "C0OPS", TEST: "C0TEST"}
MINUTE, HOUR = 60, 3600

#: By how much our clock is ahead of Slack's, in seconds.
skews = st.sampled_from([0, -20, 20, -5 * MINUTE, 5 * MINUTE, -3 * HOUR, 3 * HOUR, -14 * HOUR, 14 * HOUR])
LOSING: list[Kind] = ["reset_after", "reset_before", "truncated", "empty", "cut", "html"]
#: What no answer to a look may be, but for refusals that close the channel for as long as they come.
halves = st.sampled_from(sorted(HALVES.values()))


class Life(Struct, frozen=True):
    """One run of the program: how its clock is set, what it says, when it is killed."""

    skew: int
    messages: int
    #: Attempts at posting after which it is killed; None: it ends when all was said.
    killed: int | None


lives = st.builds(Life, skews, st.integers(1, 5), st.none() | st.integers(1, 6))


class SetClock(SystemClock):
    """A clock that is set wrong, of somebody who waits less than he says."""

    def __init__(self, skew: int) -> None:
        self._skew = timedelta(seconds=skew)

    def now(self) -> datetime:
        return super().now() + self._skew

    def monotonic(self) -> float:
        return super().monotonic() * HASTE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HASTE)


def said(number: int, count: int) -> Batch:
    """Return what a life says: to two addresses, and some of it in the thread of the first message."""
    messages = []
    for one in range(count):
        key = f"{number}.{one:02}"
        messages += [Message(f"ops {key}", OPS, Text(f"ops {key}")), Message(f"test {key}", TEST, Text(f"test {key}"))]
        if one % 2:
            reply = f"reply {key}"
            messages.append(Message(reply, OPS, Text(reply), manner=DeliveryMode.REPLY, root="ops 0.00"))
    return Batch(messages=messages)


def unwritten(batch: Batch, then: object = None) -> None:
    """Write nothing any more."""


async def live(life: Life, number: int, slack: FakeSlack, store: MemoryStore) -> None:
    """Run once; a kill loses the marks that are not committed."""
    channel = SlackChannel(TOKEN, api_url=slack.url, timeout=timedelta(seconds=2))
    outbox = Outbox({"slack": channel}, SetClock(life.skew), SendRate(0), zone=timezone.utc, store=store)
    before = len(slack.messages)
    await channel.open()
    outbox.sender.restore()
    outbox.recorder.submit(said(number, life.messages))
    drained = asyncio.create_task(outbox.drained())
    until = time.monotonic() + PATIENCE
    while not drained.done():
        if life.killed is not None and len(slack.messages) - before >= life.killed:
            outbox.recorder.submit = unwritten  # type: ignore[method-assign]
            break
        assert time.monotonic() < until, outbox.queued
        await asyncio.sleep(0.001)
    drained.cancel()
    await outbox.sender.stop()
    await channel.close()
    for _ in range(3):  # Connections are closed in the loop's next rounds.
        await asyncio.sleep(0)


def fail_at_random(slack: FakeSlack, seed: int, half: str) -> None:
    """Let three in ten requests fail, in every way: before and after they took effect, and with half an answer."""
    part = 0.3 / (len(LOSING) + 1)
    for number, kind in enumerate(LOSING):
        slack.fault(kind, probability=part, seed=10 * seed + number)
    looks = ("conversations.history", "conversations.replies", "conversations.list")
    for number, method in enumerate(looks):
        slack.fault("json", status=200, body=half, method=method, probability=0.3, seed=10 * seed + 7 + number)
    slack.fault("json", status=200, body=half, method="chat.postMessage", accepted=True, probability=part, seed=seed)


@pytest.mark.slow
@given(first=lives, rest=st.lists(lives, max_size=2), seed=st.integers(0, 1_000), half=halves)
@settings(deadline=None, derandomize=True)
def test_nothing_is_lost_doubled_or_overtaken(first: Life, rest: list[Life], seed: int, half: str) -> None:
    store = MemoryStore()
    everything = [first, *rest, Life(0, 1, None)]
    with FakeSlack(token=TOKEN) as slack:
        fail_at_random(slack, seed, half)
        for number, life in enumerate(everything):
            asyncio.run(live(life, number, slack, store))
        arrived = [(message.channel, message.text) for message in slack.messages]

    expected = [one for number, life in enumerate(everything) for one in said(number, life.messages).messages]
    assert {one.status.value for one in store.deliveries()} == {"sent"}
    assert Counter(arrived) == Counter((CHANNELS[one.to], str(one.key)) for one in expected)
    for channel in CHANNELS.values():
        texts = [text for where, text in arrived if where == channel]
        places = {one.key: place for place, one in enumerate(expected)}
        assert all(places[before] < places[after] for before, after in pairwise(texts)), texts
