"""The sender in trouble: it verifies before it repeats, reports dead messages, probes a refusing channel, spills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.errors import NotNow, StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryMode, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import KEPT
from slack_alert.engine.delivery.sender import SendRate
from slack_alert.stores.memory import MemoryStore
from tests.fakes.outbox import DEV, OPS, Act, Outbox, Scripted, played, stored
from tests.fakes.virtual_loop import NOON, LoopClock, VirtualLoop, run_virtually

LOST_ANSWER = SendResult(SendStatus.AMBIGUOUS, "arrived", reason="ServerDisconnectedError")
SECOND = timedelta(seconds=1)


def saying(*keys: str, to: Address = OPS) -> Act:
    async def act(outbox: Outbox) -> None:
        outbox.say(*keys, to=to)

    return act


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


class TestDoubt:
    def test_a_message_that_arrived_is_not_repeated(self) -> None:
        channel, outbox = played(saying("a", "b"), {"a": [LOST_ANSWER]})

        assert channel.said == ["a", "b"]
        assert outbox.delivery("a").receipt == "found"

    def test_one_that_did_not_is(self) -> None:
        channel, _ = played(saying("a"), {"a": [SendStatus.AMBIGUOUS]})

        assert channel.keys == ["a"]
        assert channel.said == ["a", "a"]

    def test_where_nobody_can_tell_it_is_repeated(self) -> None:
        channel, outbox = played(saying("a", "b"), {"a": [LOST_ANSWER]}, lookups=[None])

        assert channel.keys == ["a", "a", "b"]
        assert outbox.statuses == {"a": "sent", "b": "sent"}

    def test_a_channel_that_cannot_answer_now_is_asked_again(self) -> None:
        lookups = [NotNow("away"), NotNow("away"), NotNow("away")]
        channel, _ = played(saying("a"), {"a": [LOST_ANSWER]}, lookups=lookups)

        assert channel.said == ["a"]
        assert len(channel.asked) == 4

    def test_so_is_one_whose_last_receipt_cannot_be_read(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.unreadable_receipts = [StoreError("disk"), StoreError("disk")]
            outbox.say("a")

        channel, outbox = played(act, {"a": [LOST_ANSWER]})

        assert channel.said == ["a"]
        assert outbox.unreadable_receipts == []

    def test_it_is_asked_no_longer_than_a_message_is_tried(self) -> None:
        lookups = [NotNow("away")] * 1000
        channel, outbox = played(
            saying("a"), {"a": [SendStatus.AMBIGUOUS]}, lookups=lookups, give_up=timedelta(minutes=10)
        )

        assert channel.said == ["a", "a"]
        assert outbox.statuses == {"a": "sent"}

    def test_an_unknown_answer_is_final_after_some_attempts(self) -> None:
        unknown = SendResult(SendStatus.AMBIGUOUS, reason="new_code", hint="look it up", limit=3)
        channel, outbox = played(saying("a", "b"), {"a": [unknown] * 5})

        assert channel.said == ["a", "a", "a", "b"]
        assert outbox.statuses == {"a": "dead", "b": "sent"}
        assert outbox.delivery("a").reason == "new_code: look it up"
        assert outbox.lost == [("a", "new_code")]

    def test_before_it_is_dead_it_is_looked_for(self) -> None:
        unknown = SendResult(SendStatus.AMBIGUOUS, "arrived", reason="new_code", limit=1)
        channel, outbox = played(saying("a"), {"a": [unknown]})

        assert outbox.statuses == {"a": "sent"}
        assert channel.said == ["a"]

    def test_what_a_former_process_may_have_sent_is_looked_for_first(self) -> None:
        store = stored("a", "b", "c")
        loop = VirtualLoop()
        channel = Scripted(LoopClock(loop), accepted=list(store.deliveries())[:2])
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0), store=store)

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say("d")
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.keys == ["a", "b", "c", "d"]
        assert channel.said == ["c", "d"]
        assert len(channel.asked) == 1

    def test_replies_of_a_former_process_are_looked_for_thread_by_thread_as_their_turn_comes(self) -> None:
        store, loop = MemoryStore(), VirtualLoop()
        store.commit(Batch(messages=[Message(key, OPS, Text(key)) for key in ("a", "b")], at=NOON))
        replies = [
            Message(f"{root}{number}", OPS, Text("x"), manner=DeliveryMode.REPLY, root=root)
            for number in (1, 2) for root in ("a", "b")
        ]  # fmt: skip
        store.commit(Batch(messages=replies, at=NOON))
        channel = Scripted(LoopClock(loop), accepted=list(store.deliveries())[:3])
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0), store=store)

        async def scene() -> None:
            outbox.sender.restore()
            await outbox.drained()

        run_virtually(loop, scene())
        assert [keys for _, keys in channel.asked] == [["a", "b"], ["a1", "a2"], ["b1", "b2"]]
        assert channel.keys == ["a", "b", "a1", "b1", "a2", "b2"]

    def test_a_reply_is_looked_for_with_what_it_follows(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            await outbox.drained()
            outbox.recorder.submit(
                Batch(messages=[Message("a1", OPS, Text("a1"), manner=DeliveryMode.REPLY, root="a")])
            )

        channel, _ = played(act, {"a1": [LOST_ANSWER]})

        assert channel.said == ["a", "a1"]
        assert channel.followed == ["receipt"]

    def test_what_it_committed_itself_is_not_looked_for(self) -> None:
        channel, _ = played(saying("a", "b"))

        assert channel.asked == []


class TestDeadMessages:
    @pytest.mark.parametrize("fate", [SendStatus.DESTINATION, SendStatus.PAYLOAD])
    def test_what_cannot_be_delivered_is_dead_and_told(self, fate: SendStatus) -> None:
        channel, outbox = played(saying("a", "b"), {"a": [SendResult(fate, reason="not_in_channel", hint="/invite")]})

        assert outbox.statuses == {"a": "dead", "b": "sent"}
        assert outbox.delivery("a").reason == "not_in_channel: /invite"
        assert outbox.delivery("a").attempts == 1
        assert outbox.lost == [("a", "not_in_channel")]
        assert channel.keys == ["b"]

    def test_a_dead_message_can_be_sent_again(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b")
            await outbox.drained()
            outbox.retry(outbox.delivery("a").id)

        channel, outbox = played(act, {"a": [SendStatus.PAYLOAD]})

        assert channel.keys == ["b", "a"]
        assert outbox.statuses == {"a": "sent", "b": "sent"}

    def test_a_channel_that_is_gone_is_a_dead_end_with_a_hint(self) -> None:
        channel, outbox = played(saying("a", to=Address("pager", "#ops")))

        assert outbox.statuses == {"a": "dead"}
        assert outbox.delivery("a").reason == "there is no channel 'pager': The channels are: slack."
        assert channel.attempts == []


class TestStall:
    DOWN = SendResult(SendStatus.RETRY, reason="ConnectionRefusedError")
    ASKED_TO_WAIT = SendResult(SendStatus.WAIT, reason="ratelimited", after=timedelta(seconds=50))

    @staticmethod
    def seen(
        answers: list[SendResult | SendStatus | Exception], *at: int, lookups: Sequence[Exception] = ()
    ) -> list[list[str]]:
        """Return the reported stalls at these seconds, while the first message gets this answer."""
        told: list[list[str]] = []

        async def act(outbox: Outbox) -> None:
            if not lookups:
                outbox.say("a")
            for second, before in zip(at, (0, *at), strict=False):
                await outbox.clock.sleep(second - before)
                told.append(outbox.sender.stalls)

        played(act, {"a": answers}, store=stored("a") if lookups else None, lookups=lookups)
        return told

    def test_an_address_that_takes_nothing_for_a_minute_is_named(self) -> None:
        told = self.seen([self.DOWN] * 20, 59, 125)

        assert told == [[], ["slack:#ops: nothing accepted for 2m: ConnectionRefusedError"]]

    def test_it_ends_with_what_is_accepted(self) -> None:
        assert self.seen([self.DOWN] * 11, 70, 600)[1] == []

    def test_it_ends_with_the_last_message(self) -> None:
        told = self.seen([*[self.DOWN] * 11, SendStatus.PAYLOAD], 70, 600)

        assert [len(each) for each in told] == [1, 0]

    def test_a_wait_that_the_service_asked_for_is_none(self) -> None:
        told = self.seen([self.ASKED_TO_WAIT] * 4, 100, 120)

        assert told == [[], ["slack:#ops: nothing accepted for 1m: ratelimited"]]

    def test_nor_is_a_refused_message(self) -> None:
        assert self.seen([self.DOWN, SendStatus.DESTINATION], 70) == [[]]

    def test_a_look_that_is_not_answered_counts(self) -> None:
        told = self.seen([], 70, lookups=[NotNow("ClientConnectorError")] * 20)

        assert told == [["slack:#ops: nothing accepted for 1m: ClientConnectorError"]]


class TestCredentials:
    REFUSED = SendResult(SendStatus.CREDENTIALS, reason="invalid_auth", hint="check token")

    def test_the_whole_channel_waits_while_one_lane_probes(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b")
            await outbox.clock.sleep(1)
            outbox.say("c", to=DEV)
            await outbox.clock.sleep(1)

            assert outbox.sender.troubles == ["slack"]

        channel, outbox = played(act, {"a": [self.REFUSED] * 4})

        probes = [(0, "a"), (5, "a"), (15, "a"), (35, "a"), (75, "a")]
        assert sorted(channel.attempts) == [*probes, (75, "b"), (75, "c")]
        assert outbox.sender.troubles == []
        assert outbox.lost == []

    def test_nothing_is_given_up_meanwhile(self) -> None:
        _, outbox = played(saying("a"), {"a": [self.REFUSED] * 10}, give_up=timedelta(minutes=1))

        assert outbox.statuses == {"a": "sent"}

    def test_another_channel_is_not_affected(self) -> None:
        loop = VirtualLoop()
        clock = LoopClock(loop)
        slack, other = Scripted(clock, {"a": [self.REFUSED]}), Scripted(clock, name="other")
        outbox = Outbox({"slack": slack, "other": other}, clock, SendRate(0))

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say("a")
            await clock.sleep(1)
            outbox.say("b", to=Address("other", "x"))
            await outbox.drained()

        run_virtually(loop, scene())
        assert other.attempts == [(1, "b")]

    def test_another_lane_probes_when_the_probing_one_was_emptied(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            await outbox.clock.sleep(1)
            outbox.say("b", to=DEV)
            await outbox.clock.sleep(1)
            outbox.drop(outbox.delivery("a").id)

        channel, outbox = played(act, {"a": [self.REFUSED] * 99})

        assert channel.attempts == [(0, "a"), (5, "b")]
        assert outbox.statuses == {"b": "sent"}


class TestSpilling:
    @pytest.mark.slow
    def test_a_long_backlog_goes_out_once_and_in_order(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say(*numbers(2 * KEPT + 7))
            await outbox.clock.sleep(0)
            outbox.say("last")

        channel, _ = played(act)

        assert channel.keys == [*numbers(2 * KEPT + 7), "last"]

    def test_what_waits_in_the_store_only_is_counted_too(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say(*numbers(2 * KEPT))
            await outbox.clock.sleep(0.5)
            assert outbox.sender.queued == 2 * KEPT
            await outbox.sender.stop()

        played(act, {"0": [SendStatus.WAIT]})

    @pytest.mark.slow
    def test_what_comes_while_it_is_refilled_goes_out_once(self) -> None:
        """A group is committed before its messages are passed to the sender: meanwhile the refill can read them."""
        loop = VirtualLoop()
        channel = Scripted(LoopClock(loop))
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0))
        late = [f"late {number}" for number in range(5)]
        announcements: list[Sequence[Delivery]] = []

        def commit_unannounced(said: str) -> None:
            if said == str(KEPT - 1):
                accept, outbox.sender.accept = outbox.sender.accept, announcements.append  # type: ignore[method-assign,assignment]
                outbox.say(*late)
                outbox.sender.accept = accept  # type: ignore[method-assign]

        channel.during = commit_unannounced

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say(*numbers(KEPT + 3))
            await outbox.clock.sleep(1)
            outbox.sender.accept(announcements.pop())
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.keys == [*numbers(KEPT + 3), *late]

    @pytest.mark.slow
    def test_a_backlog_of_a_former_process_goes_out_in_order(self) -> None:
        channel, _ = played(saying("new"), store=stored(*numbers(2 * KEPT)))

        assert channel.keys == [*numbers(2 * KEPT), "new"]

    @pytest.mark.slow
    def test_a_store_that_cannot_be_read_is_asked_again(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.unreadable = [StoreError("disk I/O error")] * 3
            outbox.say(*numbers(KEPT + 2))

        channel, _ = played(act)

        assert channel.keys == numbers(KEPT + 2)


def test_a_drain_does_not_wait_for_a_channel_that_refuses_us() -> None:
    """At the end of the program the messages are kept anyway; the deadline is for what can still be sent."""
    loop = VirtualLoop()
    refused = SendResult(SendStatus.CREDENTIALS, reason="invalid_auth")
    slack = Scripted(LoopClock(loop), {"a": [refused] * 100})
    outbox = Outbox({"slack": slack}, slack.clock, SendRate(0))

    async def scene() -> None:
        outbox.sender.restore()
        outbox.say("a", "b")
        await slack.clock.sleep(1)
        await outbox.sender.drained()
        assert slack.clock.monotonic() < 10
        assert outbox.sender.queued == 2
        await outbox.sender.stop()

    run_virtually(loop, scene())
    assert outbox.statuses == {"a": "queued", "b": "queued"}
