"""The sender against faults of Slack: nothing is lost, order is kept, nothing is repeated where Slack can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta, timezone

import pytest

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.model.address import Address
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.delivery.sender import SendRate
from tests.contract.slack_rig import TOKEN
from tests.fakes.outbox import Outbox
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import FaultOptions, Kind
from tests.fakes.slack_workspace import ALL_SCOPES

OPS, TEST = Address("slack", "#ops"), Address("slack", "#test")
IDS = {OPS: "C0OPS", TEST: "C0TEST"}
#: How much faster than in life the sender waits.
HASTE = 50.0
PATIENCE = 8.0

pytestmark = pytest.mark.slow


class HastyClock(SystemClock):
    """The machine's clock, sped up so that waits are shorter."""

    def monotonic(self) -> float:
        return super().monotonic() * HASTE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HASTE)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def numbered(to: Address, count: int = 12) -> list[str]:
    return [f"{to.conversation} {number}" for number in range(count)]


def delivered(
    slack: FakeSlack,
    act: Callable[[Outbox], Awaitable[None]],
    *,
    pace: SendRate | None = None,
    timeout: timedelta = timedelta(seconds=5),
) -> Outbox:
    """Send messages through a real channel until all are delivered, and return the outbox."""

    async def whole() -> Outbox:
        channel = SlackChannel(TOKEN, api_url=slack.url, timeout=timeout)
        outbox = Outbox({"slack": channel}, HastyClock(), pace or SendRate(0), zone=timezone.utc)
        await channel.open()
        outbox.sender.restore()
        try:
            await act(outbox)
            await asyncio.wait_for(outbox.drained(), PATIENCE)
        finally:
            await outbox.sender.stop()
            await channel.close()
        return outbox

    return asyncio.run(whole())


async def both(outbox: Outbox) -> None:
    outbox.say(*numbered(OPS), to=OPS)
    outbox.say(*numbered(TEST), to=TEST)


def arrived(slack: FakeSlack, to: Address) -> list[str]:
    return [message.text for message in slack.messages if message.channel == IDS[to]]


FAULTS: list[tuple[Kind, FaultOptions]] = [
    ("reset_before", {"times": 4}),
    ("reset_after", {"times": 4}),
    ("cut", {"times": 4}),
    ("truncated", {"times": 4}),
    ("empty", {"times": 4}),
    ("html", {"times": 4}),
    ("rate_limited", {"times": 30, "retry_after": 2}),
    ("error", {"times": 4, "code": "ratelimited"}),
    ("error", {"times": 4, "code": "fatal_error"}),
    ("error", {"times": 4, "code": "fatal_error", "accepted": True}),
    ("error", {"times": 2, "code": "never_heard_of"}),
    ("error", {"times": 4, "code": "invalid_auth"}),
    ("status", {"times": 4, "status": 502, "body": "<html>bad gateway</html>", "accepted": True}),
    ("status", {"times": 4, "status": 403, "body": "<html>blocked</html>"}),
]


@pytest.mark.parametrize(("kind", "options"), FAULTS, ids=[f"{kind} {options}" for kind, options in FAULTS])
def test_a_fault_loses_nothing_and_keeps_the_order(slack: FakeSlack, kind: Kind, options: FaultOptions) -> None:
    where: FaultOptions = {"method": "chat.postMessage", "skip": 3}
    where.update(options)
    fault = slack.fault(kind, **where)

    outbox = delivered(slack, both)

    assert fault.hits == options["times"]
    assert arrived(slack, OPS) == numbered(OPS)
    assert arrived(slack, TEST) == numbered(TEST)
    assert outbox.queued == []


def test_answers_slower_than_our_patience_are_looked_for(slack: FakeSlack) -> None:
    fault = slack.fault("slow", method="chat.postMessage", skip=3, times=4, delay=0.4)

    delivered(slack, both, timeout=timedelta(seconds=0.2))

    assert fault.hits == 4
    assert arrived(slack, OPS) == numbered(OPS)
    assert arrived(slack, TEST) == numbered(TEST)


def test_slow_answers_are_waited_for(slack: FakeSlack) -> None:
    slack.fault("slow", method="chat.postMessage", times=4, delay=0.1)

    delivered(slack, both)

    assert arrived(slack, OPS) == numbered(OPS)


def test_slack_may_be_away_for_ten_seconds(slack: FakeSlack) -> None:
    async def act(outbox: Outbox) -> None:
        await both(outbox)
        await asyncio.to_thread(slack.wait_for_messages, 4)
        await asyncio.to_thread(slack.refuse, 10 / HASTE)

    outbox = delivered(slack, act, pace=SendRate(2, 3))

    assert arrived(slack, OPS) == numbered(OPS)
    assert arrived(slack, TEST) == numbered(TEST)
    assert outbox.queued == []
    assert set(outbox.statuses.values()) == {"sent"}


def test_slack_may_be_away_from_the_start(slack: FakeSlack) -> None:
    slack.refuse(0.2)

    delivered(slack, both)

    assert arrived(slack, OPS) == numbered(OPS)


def test_looking_may_fail_as_well(slack: FakeSlack) -> None:
    slack.fault("reset_after", method="chat.postMessage", skip=3, times=2)
    looks = slack.fault("html", method="conversations.history", times=4)

    delivered(slack, both)

    assert looks.hits == 4
    assert arrived(slack, OPS) == numbered(OPS)
    assert arrived(slack, TEST) == numbered(TEST)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2, 3))])
def test_everything_at_once(slack: FakeSlack, seed: int) -> None:
    kinds: list[Kind] = ["reset_before", "reset_after", "truncated", "html", "rate_limited", "cut"]
    for number, kind in enumerate(kinds):
        slack.fault(kind, probability=0.08, seed=10 * seed + number, times=6)

    outbox = delivered(slack, both)

    assert arrived(slack, OPS) == numbered(OPS)
    assert arrived(slack, TEST) == numbered(TEST)
    assert set(outbox.statuses.values()) == {"sent"}


def test_without_the_scope_to_look_a_message_may_come_twice_but_is_not_lost() -> None:
    with FakeSlack(token=TOKEN, scopes=ALL_SCOPES - {"channels:history"}) as slack:
        slack.fault("reset_after", method="chat.postMessage", channel="#ops", skip=3, times=2)

        delivered(slack, both)

        said = numbered(OPS)
        assert arrived(slack, OPS) == [*said[:4], said[3], *said[3:]]
        assert arrived(slack, TEST) == numbered(TEST)


@pytest.mark.parametrize("kind", ["rate_limited", "reset_before", "slow"])
def test_a_channel_in_trouble_holds_up_nobody(slack: FakeSlack, kind: Kind) -> None:
    slack.fault(kind, method="chat.postMessage", channel="#ops", retry_after=3600, delay=1.0)

    async def act(outbox: Outbox) -> None:
        await both(outbox)
        await asyncio.to_thread(wait_for, slack, TEST, 12)

        assert len(outbox.queued) >= 11
        slack.clear_faults()
        await outbox.sender.stop()

    delivered(slack, act)

    assert arrived(slack, TEST) == numbered(TEST)


def wait_for(slack: FakeSlack, to: Address, count: int) -> None:
    while len(arrived(slack, to)) < count:
        slack.wait_for_messages(len(slack.messages) + 1, seconds=2.0)


def test_slack_is_never_asked_for_more_than_one_message_a_second_and_channel() -> None:
    with FakeSlack(token=TOKEN, rate=HASTE, burst=4) as slack:
        delivered(slack, both, pace=SendRate(1, 3))

        assert arrived(slack, OPS) == numbered(OPS)
        assert {request.status for request in slack.requests} == {200}


def test_one_connection_serves_them_all(slack: FakeSlack) -> None:
    async def act(outbox: Outbox) -> None:
        outbox.say(*numbered(OPS), to=OPS)

    delivered(slack, act)

    assert slack.connections == 1
