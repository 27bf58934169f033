"""The sender where more waits than can be sent: fair turns, one message for the rest, nothing lost or repeated."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.content.render import Text
from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import DeliveryMode, Message, RunPart, Status
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import KEPT
from slack_alert.engine.delivery.sender import SendRate
from slack_alert.stores.memory import MemoryStore
from tests.fakes.outbox import OPS, Act, Answer, Outbox, Scripted, played
from tests.fakes.virtual_loop import NOON, LoopClock, VirtualLoop, run_virtually

#: What can be said in a minute: 63.
PACE = SendRate(1, 3)


def of_job(job: str, run: int, *, root: str = "", manner: DeliveryMode = DeliveryMode.POST) -> Message:
    origin = RunPart(job, NOON, run)
    return Message(origin.key, OPS, Text(f"{job} {run}"), origin, manner, root)


def alerts(job: str, count: int, first: int = 1) -> list[Message]:
    return [of_job(job, run) for run in range(first, first + count)]


def saying(*messages: Message) -> Act:
    async def act(outbox: Outbox) -> None:
        outbox.recorder.submit(Batch(messages=list(messages)))

    return act


def spoken(channel: Scripted) -> list[str]:
    """Return the texts of the messages in order, without the times of late ones."""
    return [re.sub(r"^\[.*?\] ", "", said) for said in channel.said]


def summaries(channel: Scripted) -> list[str]:
    return [said for said in spoken(channel) if said.startswith("More waited")]


def number_in(summary: str) -> int:
    found = re.search(r"instead of said: ([\d,]+) messages? of", summary)
    assert found is not None
    return int(found[1].replace(",", ""))


def collapsed(outbox: Outbox) -> list[str]:
    return [each.message.key for each in outbox.store.deliveries() if each.status is Status.COLLAPSED]


def assert_all_accounted_for(channel: Scripted, outbox: Outbox, expected: int) -> None:
    """Assert that every message was sent, or is counted in a message that was."""
    said = [text for text in spoken(channel) if not text.startswith("More waited")]
    counted = len(collapsed(outbox))
    assert len(said) == len(set(said))
    assert sum(map(number_in, summaries(channel))) == counted
    assert len(said) + counted == expected
    assert outbox.queued == []


class TestTurns:
    def test_a_noisy_job_does_not_keep_another_waiting(self) -> None:
        channel, _ = played(saying(*alerts("noisy", 40), of_job("quiet", 99)), pace=PACE)

        assert spoken(channel)[:4] == ["noisy 1", "quiet 99", "noisy 2", "noisy 3"]
        assert len(channel.said) == 41

    def test_no_more_than_a_burst_goes_out_as_it_came(self) -> None:
        channel, _ = played(saying(*alerts("noisy", 2), of_job("quiet", 99)), pace=PACE)

        assert spoken(channel) == ["noisy 1", "noisy 2", "quiet 99"]

    def test_unpaced_everything_goes_out_as_it_came(self) -> None:
        channel, outbox = played(saying(*alerts("noisy", 300), of_job("quiet", 999)))

        assert spoken(channel) == [*(f"noisy {run}" for run in range(1, 301)), "quiet 999"]
        assert collapsed(outbox) == []

    def test_one_that_comes_later_is_next_but_one(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=alerts("noisy", 40)))
            await outbox.clock.sleep(10.5)
            outbox.recorder.submit(Batch(messages=[of_job("quiet", 99)]))

        channel, _ = played(act, pace=PACE)

        assert channel.times[spoken(channel).index("quiet 99")] == 12

    def test_what_is_tried_again_is_not_overtaken(self) -> None:
        first = of_job("noisy", 1)
        script: dict[str, list[Answer]] = {first.key: [SendStatus.RETRY, SendStatus.AMBIGUOUS]}
        channel, _ = played(saying(first, *alerts("noisy", 9, 2), of_job("quiet", 99)), script, pace=PACE)

        assert spoken(channel)[:4] == ["noisy 1", "noisy 1", "noisy 1", "quiet 99"]


class TestStorms:
    def test_what_can_be_said_in_a_minute_is_said(self) -> None:
        channel, outbox = played(saying(*alerts("a", 63)), pace=PACE)

        assert summaries(channel) == []
        assert_all_accounted_for(channel, outbox, 63)

    def test_the_rest_becomes_one_message_that_counts_and_names_it(self) -> None:
        channel, outbox = played(saying(*alerts("a", 100), *alerts("b", 10, 200)), pace=PACE)

        assert len(channel.said) == 63
        assert summaries(channel) == [channel.said[-1]]
        assert "48 messages of 1 job (12:00:00): a 48." in channel.said[-1]
        assert_all_accounted_for(channel, outbox, 110)

    def test_what_is_counted_says_in_which_message(self) -> None:
        _, outbox = played(saying(*alerts("a", 65)), pace=PACE)
        (summary,) = [each for each in outbox.store.deliveries() if each.message.key.startswith("storm/")]

        assert {outbox.delivery(key).reason for key in collapsed(outbox)} == {f"counted in {summary.message.key}"}

    def test_it_is_written_in_one_transaction(self) -> None:
        batches: list[tuple[int, int]] = []

        async def act(outbox: Outbox) -> None:
            put = outbox.store.commit

            def noted(batch: Batch) -> object:
                marks = [mark for mark in batch.progress if mark.status is Status.COLLAPSED]
                batches.append((len(marks), len(batch.summaries)))
                return put(batch)

            outbox.store.commit = noted  # type: ignore[method-assign,assignment]
            outbox.recorder.submit(Batch(messages=alerts("a", 100)))

        played(act, pace=PACE)

        assert [batch for batch in batches if batch != (0, 0)] == [(38, 1)]

    def test_a_storm_that_goes_on_is_counted_further(self) -> None:
        """Ten a second for a minute: a single message counts them, not sixty."""

        async def act(outbox: Outbox) -> None:
            for second in range(60):
                outbox.recorder.submit(Batch(messages=alerts("a", 10, second * 10 + 1)))
                await outbox.clock.sleep(1)

        channel, outbox = played(act, pace=PACE)

        assert len(summaries(channel)) == 1
        assert_all_accounted_for(channel, outbox, 600)

    def test_its_message_waits_no_longer_than_a_minute(self) -> None:
        async def act(outbox: Outbox) -> None:
            for second in range(300):
                outbox.recorder.submit(Batch(messages=alerts("a", 5, second * 5 + 1)))
                await outbox.clock.sleep(1)

        channel, outbox = played(act, pace=PACE)
        told = [at for at, said in channel.attempts if said.startswith("More waited")]

        assert all(later - earlier < 90 for earlier, later in pairwise(told))
        assert 4 <= len(told) <= 8
        assert_all_accounted_for(channel, outbox, 1500)

    def test_more_than_memory_holds_is_counted_too(self) -> None:
        many = 3 * KEPT
        channel, outbox = played(saying(*alerts("a", many), of_job("b", 9999)), pace=PACE)

        assert spoken(channel)[1] == "b 9999"
        assert len(summaries(channel)) == 1
        assert_all_accounted_for(channel, outbox, many + 1)

    def test_what_waits_while_the_channel_is_away_is_counted(self) -> None:
        script: dict[str, list[Answer]] = {of_job("a", 1).key: [SendResult(SendStatus.WAIT, after=timedelta(hours=1))]}

        async def act(outbox: Outbox) -> None:
            for run in range(1, 200):
                outbox.recorder.submit(Batch(messages=[of_job("a", run)]))
                await outbox.clock.sleep(10)

        channel, outbox = played(act, script, pace=PACE)

        assert spoken(channel)[:2] == ["a 1", "a 1"]
        assert Counter(spoken(channel))["a 1"] == 2
        assert len(summaries(channel)) == 1
        assert sum(map(number_in, summaries(channel))) == len(collapsed(outbox)) == 199 - 62

    @pytest.mark.parametrize("keys", [["one"], [f"send {number}" for number in range(100)]])
    def test_what_a_person_sends_is_always_said(self, keys: list[str]) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=alerts("a", 100)))
            outbox.say(*keys)

        channel, outbox = played(act, pace=PACE)

        assert set(keys) <= set(spoken(channel))
        assert_all_accounted_for(channel, outbox, 100 + len(keys))

    def test_a_text_that_was_begun_is_said_to_its_end(self) -> None:
        """However little can be sent in a minute."""
        long = Text("a" * LIMIT)
        parts = [replace(of_job("a", 1), key=f"a@{NOON.isoformat()}/1#{part}", piece=long) for part in range(10)]

        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=[*parts, *alerts("b", 9)]))
            await outbox.clock.sleep(200)
            outbox.recorder.submit(Batch(messages=alerts("c", 9)))

        channel, outbox = played(act, pace=SendRate(0.01, 12))

        assert spoken(channel)[:10] == [long.text] * 10
        assert len(collapsed(outbox)) + len(channel.said) - len(summaries(channel)) == 28

    def test_replies_to_what_is_said_are_said(self) -> None:
        root = of_job("b", 1000)
        replies = [of_job("b", run, root=root.key, manner=DeliveryMode.REPLY) for run in range(1001, 1010)]
        channel, outbox = played(saying(root, *alerts("a", 100), *replies), pace=PACE)

        assert [said for said in spoken(channel) if said.startswith("b ")] == [f"b {run}" for run in range(1000, 1010)]
        assert_all_accounted_for(channel, outbox, 110)

    def test_replies_to_what_was_counted_are_counted(self) -> None:
        replies = [of_job("b", run, root="counted long ago", manner=DeliveryMode.REPLY) for run in range(1, 201)]
        channel, outbox = played(saying(*replies), pace=PACE)

        assert len(channel.said) == 63
        assert_all_accounted_for(channel, outbox, 200)

    def test_what_was_counted_can_be_sent_again(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=alerts("a", 100)))
            await outbox.clock.sleep(5)
            outbox.retry(outbox.delivery(of_job("a", 80).key).id)

        channel, outbox = played(act, pace=PACE)

        assert "a 80" in spoken(channel)
        assert of_job("a", 80).key not in collapsed(outbox)

    def test_a_summary_that_was_dropped_is_not_told(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=alerts("a", 100)))
            await outbox.clock.sleep(5)
            (summary,) = [each for each in outbox.store.deliveries() if each.message.key.startswith("storm/")]
            outbox.drop(summary.id)

        channel, outbox = played(act, pace=PACE)

        assert summaries(channel) == []
        assert outbox.queued == []

    def test_a_store_that_cannot_be_read_is_asked_again(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.unreadable = [StoreError("disk"), StoreError("disk")]
            outbox.recorder.submit(Batch(messages=alerts("a", 2 * KEPT)))

        channel, outbox = played(act, pace=PACE)

        assert len(summaries(channel)) == 1
        assert_all_accounted_for(channel, outbox, 2 * KEPT)


class TestRestart:
    """The process dies during an overflow; only the store is left."""

    def left_by(self, seconds: float) -> MemoryStore:
        loop = VirtualLoop()
        channel = Scripted(LoopClock(loop))
        outbox = Outbox({"slack": channel}, channel.clock, PACE)

        async def scene() -> None:
            outbox.sender.restore()
            outbox.recorder.submit(Batch(messages=alerts("a", 150)))
            await outbox.clock.sleep(seconds)
            await outbox.sender.stop()

        run_virtually(loop, scene())
        return outbox.store

    @pytest.mark.parametrize("seconds", [0.5, 10, 59.5])
    def test_goes_on_with_the_count_it_finds(self, seconds: float) -> None:
        store = self.left_by(seconds)
        before = [each.message.key for each in store.deliveries() if each.status is Status.SENT]

        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=alerts("a", 50, 1000)))

        channel, outbox = played(act, pace=PACE, store=store)

        after = [each.message.key for each in channel.accepted]
        told = [key for key in (*before, *after) if not key.startswith("storm/")]
        assert len(told) == len(set(told))
        assert len(told) + len(collapsed(outbox)) == 200
        assert sum(map(number_in, summaries(channel))) == len(collapsed(outbox))
