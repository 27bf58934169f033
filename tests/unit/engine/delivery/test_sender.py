"""The sender: order, rate, requested waits, and late messages with their time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from slack_alert.core.content.render import Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import UNMARKED
from slack_alert.engine.delivery.sender import SendRate
from tests.fakes.outbox import DEV, OPS, Act, Answer, Outbox, Scripted, played
from tests.fakes.virtual_loop import NOON, LoopClock, VirtualLoop, run_virtually

LOST_ANSWER = SendResult(SendStatus.AMBIGUOUS, "arrived", reason="ServerDisconnectedError")
SECOND = timedelta(seconds=1)


def saying(*keys: str, to: Address = OPS) -> Act:
    async def act(outbox: Outbox) -> None:
        outbox.say(*keys, to=to)

    return act


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


class TestOrderAndPace:
    def test_messages_go_out_in_order(self) -> None:
        channel, outbox = played(saying(*numbers(50)))

        assert channel.keys == numbers(50)
        assert outbox.queued == []

    def test_one_a_second_after_a_burst_of_three(self) -> None:
        channel, _ = played(saying(*"abcdef"), pace=SendRate(1, 3))

        assert channel.times == [0, 0, 0, 1, 2, 3]

    def test_each_address_has_a_pace_of_its_own(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b", to=OPS)
            outbox.say("c", "d", to=DEV)

        channel, _ = played(act, pace=SendRate(1, 1))

        assert sorted(channel.attempts) == [(0, "a"), (0, "c"), (1, "b"), (1, "d")]

    def test_a_rate_of_nought_is_unpaced(self) -> None:
        channel, _ = played(saying(*numbers(100)), pace=SendRate(0, 1))

        assert channel.times == [0] * 100

    def test_order_is_kept_through_failures(self) -> None:
        script: dict[str, list[Answer]] = {
            "a": [SendStatus.RETRY, SendStatus.WAIT],
            "b": [LOST_ANSWER],
            "c": [SendStatus.AMBIGUOUS, SendStatus.RETRY],
        }
        channel, _ = played(saying(*"abcd"), script)

        assert channel.keys == list("abcd")

    def test_no_more_than_so_many_are_under_way_without_a_mark(self) -> None:
        """Where a channel cannot be asked, a crash may repeat these."""
        loop = VirtualLoop()
        channel = Scripted(LoopClock(loop))
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0))
        held: list[object] = []
        put = outbox.recorder.submit

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say(*numbers(UNMARKED + 5))
            outbox.recorder.submit = lambda _, then=None: held.append(then)  # type: ignore[method-assign,assignment]
            await outbox.clock.sleep(10)

            assert len(channel.accepted) == UNMARKED
            outbox.recorder.submit = put  # type: ignore[method-assign]
            for then in held:
                assert callable(then)
                then()
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.keys == numbers(UNMARKED + 5)


class TestMarks:
    def test_marks_go_down_together(self) -> None:
        groups: list[int] = []

        async def act(outbox: Outbox) -> None:
            put = outbox.recorder.submit

            def counted(batch: Batch, then: Callable[[], object] | None = None) -> None:
                groups.append(len(batch.progress))
                put(batch, then)

            outbox.say(*numbers(2 * UNMARKED))
            outbox.recorder.submit = counted  # type: ignore[method-assign]

        _, outbox = played(act)

        together = UNMARKED * 3 // 4
        assert groups == [together, together, 2 * UNMARKED - 2 * together]
        assert outbox.queued == []

    def test_marks_of_messages_that_come_shortly_after_each_other_go_down_together(self) -> None:
        """As the answers to people do: a commit costs more than a message."""
        groups: list[int] = []

        async def act(outbox: Outbox) -> None:
            put = outbox.recorder.submit

            def counted(batch: Batch, then: Callable[[], object] | None = None) -> None:
                groups.append(len(batch.progress))
                put(batch, then)

            for key in ("a", "b"):
                outbox.say(key)
                outbox.recorder.submit = counted  # type: ignore[method-assign]
                await outbox.clock.sleep(0.005)
                outbox.recorder.submit = put  # type: ignore[method-assign]
            outbox.recorder.submit = counted  # type: ignore[method-assign]

        _, outbox = played(act)

        assert groups == [2]
        assert outbox.queued == []

    def test_a_mark_does_not_wait_for_a_message_that_takes_long(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b")
            await outbox.clock.sleep(1)

            assert outbox.queued == ["b"]

        channel, _ = played(act, {"b": [SendResult(SendStatus.WAIT, after=SECOND * 30)]})

        assert channel.keys == ["a", "b"]

    def test_marks_are_not_left_behind_at_the_end(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b")
            await outbox.clock.sleep(0.001)
            await outbox.sender.stop()

            assert outbox.statuses["a"] == "sent"

        played(act, {"b": [SendResult(SendStatus.WAIT, after=SECOND)]})


class TestWaiting:
    def test_a_request_to_wait_is_obeyed_and_counts_as_no_attempt(self) -> None:
        wait = SendResult(SendStatus.WAIT, reason="ratelimited", after=30 * SECOND)
        channel, outbox = played(saying("a"), {"a": [wait, wait]})

        assert channel.times == [0, 30, 60]
        assert outbox.delivery("a").attempts == 1

    def test_it_holds_up_its_own_address_only(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b", to=OPS)
            outbox.say("c", to=DEV)

        channel, _ = played(act, {"a": [SendResult(SendStatus.WAIT, after=30 * SECOND)]})

        assert sorted(channel.attempts) == [(0, "a"), (0, "c"), (30, "a"), (30, "b")]

    def test_retries_come_at_growing_intervals(self) -> None:
        channel, outbox = played(saying("a"), {"a": [SendStatus.RETRY] * 11})

        waits = [after - before for before, after in zip(channel.times, channel.times[1:], strict=False)]
        longest = [0.15, 0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 60, 60]
        assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True)), waits
        assert outbox.delivery("a").attempts == 12

    def test_while_it_waits_the_outbox_says_why(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            await outbox.clock.sleep(0.05)

            assert outbox.delivery("a").reason == "connection refused"
            assert outbox.delivery("a").attempts == 1

        played(act, {"a": [SendResult(SendStatus.RETRY, reason="connection refused")]})

    def test_after_so_long_a_message_is_dead_and_the_next_one_is_tried(self) -> None:
        script: dict[str, list[Answer]] = {"a": [SendResult(SendStatus.RETRY, reason="no luck")] * 10_000}
        channel, outbox = played(saying("a", "b"), script, give_up=timedelta(minutes=10))

        assert outbox.statuses == {"a": "dead", "b": "sent"}
        assert 600 <= channel.times[-1] <= 660


class TestPeople:
    def test_a_dropped_message_is_not_sent(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b", "c")
            await outbox.clock.sleep(0.1)
            outbox.drop(outbox.delivery("b").id)

        channel, outbox = played(act, pace=SendRate(1, 1))

        assert channel.keys == ["a", "c"]
        assert outbox.statuses == {"a": "sent", "c": "sent"}

    def test_a_message_dropped_while_it_waits_is_not_tried_again(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b")
            await outbox.clock.sleep(0.05)
            outbox.drop(outbox.delivery("a").id)

        channel, _ = played(act, {"a": [SendStatus.AMBIGUOUS] * 9})

        assert channel.said == ["a", "b"]
        assert channel.asked == []

    @pytest.mark.parametrize("answer", [SendStatus.SENT, SendStatus.RETRY, SendStatus.PAYLOAD, SendStatus.AMBIGUOUS])
    def test_a_message_dropped_while_it_is_under_way_is_forgotten(self, answer: SendStatus) -> None:
        loop = VirtualLoop()
        channel = Scripted(LoopClock(loop), {"a": [answer]})
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0))
        channel.during = lambda said: outbox.drop(1) if said == "a" else None

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say("a", "b")
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.said == ["a", "b"]
        assert outbox.statuses == {"b": "sent"}
        assert outbox.lost == []

    def test_one_sent_again_while_others_wait_goes_out_once(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b", "c")
            await outbox.clock.sleep(0.1)
            outbox.retry(outbox.delivery("a").id)

        script: dict[str, list[Answer]] = {
            "a": [SendStatus.PAYLOAD],
            "b": [SendResult(SendStatus.WAIT, after=9 * SECOND)],
        }
        channel, _ = played(act, script)

        assert channel.said == ["a", "b", "b", "c", "a"]


class TestEnding:
    def test_what_is_not_sent_stays_in_the_outbox(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a", "b", "c")
            await outbox.clock.sleep(0.5)
            await outbox.sender.stop()
            outbox.say("d")

        channel, outbox = played(act, pace=SendRate(1, 2))

        assert channel.keys == ["a", "b"]
        assert outbox.queued == ["c", "d"]
        assert outbox.sender.queued == 1

    def test_what_was_announced_at_the_last_moment_is_not_begun(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            await outbox.sender.stop()

        channel, outbox = played(act)

        assert channel.attempts == []
        assert outbox.queued == ["a"]


class TestLateness:
    SLOT = NOON - timedelta(hours=2, minutes=30)

    @pytest.mark.parametrize(
        ("key", "late", "piece", "expected"),
        [
            ("x#0", 60, Text("disk"), "disk"),
            ("x#0", 61, Text("disk"), "[11:58] disk"),
            ("x#1", 61, Text("disk"), "disk"),
            ("x#0", 61, Text("```a table```"), "[11:58]\n```a table```"),
            ("x#0", 86400, Text("disk"), "[2026-11-19 12:00] disk"),
            ("x#0", 61, Upload("disk.png", b"png"), "[11:58]"),
            ("x#0", 61, Upload("disk.png", b"png", comment="full"), "[11:58] full"),
            ("x#0", 60, Upload("disk.png", b"png", comment="full"), "full"),
        ],
    )
    def test_a_message_after_more_than_a_minute_begins_with_its_slot(
        self, key: str, late: int, piece: Piece, expected: str
    ) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say(key, slot=NOON - late * SECOND, piece=piece)

        channel, _ = played(act)

        assert channel.said == [expected]

    def test_the_time_counts_at_which_it_is_delivered(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("x#0", slot=NOON)

        channel, _ = played(act, {"x#0": [SendResult(SendStatus.WAIT, after=90 * SECOND)]})

        assert channel.said == ["x#0", "[12:00] x#0"]

    def test_what_no_slot_caused_is_never_late(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("x#0")

        channel, _ = played(act, {"x#0": [SendResult(SendStatus.WAIT, after=90 * SECOND)]})

        assert channel.said == ["x#0", "x#0"]
