"""The sender with a service that fails from time to time, and with errors in the program itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.errors import NotNow, StoreError
from slack_alert.core.model.message import Delivery, DeliveryMode, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import Lane
from slack_alert.engine.delivery.prepare import Receipts
from slack_alert.engine.delivery.sender import SendRate
from slack_alert.stores.memory import MemoryStore
from tests.fakes.outbox import DEV, Act, Answer, Outbox, Scripted, played
from tests.fakes.rows import in_turn
from tests.fakes.virtual_loop import NOON, LoopClock, VirtualLoop, run_virtually

ARRIVED = SendResult(SendStatus.AMBIGUOUS, "arrived", reason="ConnectionResetError")
LOST = SendResult(SendStatus.AMBIGUOUS, reason="HTTP 500")
UNKNOWN = SendResult(SendStatus.AMBIGUOUS, reason="new_code", limit=3)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ERRORS = [
    TypeError("bug"),
    AttributeError("bug"),
    RuntimeError("bug"),
    KeyError("bug"),
    RecursionError(),
    MemoryError(),
]


def saying(*keys: str) -> Act:
    async def act(outbox: Outbox) -> None:
        outbox.say(*keys)

    return act


def stored_long_ago(*keys: str) -> MemoryStore:
    store = MemoryStore()
    store.commit(Batch(messages=[Message(key, DEV, Text(key)) for key in keys], at=NOON - 3 * DAY))
    return store


class TestSoonAgain:
    @pytest.mark.parametrize("fate", [SendStatus.RETRY, SendStatus.AMBIGUOUS])
    def test_the_first_attempt_after_a_failure_comes_in_some_100_ms(self, fate: SendStatus) -> None:
        channel, _ = played(saying("a"), {"a": [fate]})

        assert 0.05 <= channel.times[1] <= 0.2

    def test_so_does_the_first_question_and_the_one_after_it(self) -> None:
        channel, _ = played(saying("a"), {"a": [ARRIVED]}, lookups=[NotNow("HTTP 500")])

        first, second = (at for at, _ in channel.asked)
        assert 0.05 <= first <= 0.2
        assert 0.05 <= second - first <= 0.2

    def test_waits_begin_anew_with_the_next_message(self) -> None:
        channel, _ = played(saying("a", "b"), {"a": [LOST] * 5, "b": [LOST]})

        *_, before, after = channel.times
        assert after - before <= 0.2

    def test_a_question_is_not_asked_sooner_than_the_service_asked_for(self) -> None:
        lookups = [NotNow("ratelimited", after=timedelta(seconds=30))] * 2
        channel, _ = played(saying("a"), {"a": [ARRIVED]}, lookups=lookups)

        first, second, third = (at for at, _ in channel.asked)
        assert (round(second - first, 3), round(third - second, 3)) == (30, 30)

    def test_one_question_is_for_all_that_may_be_there(self) -> None:
        loop = VirtualLoop()
        store = stored_long_ago(*"abcde")
        channel = Scripted(LoopClock(loop), accepted=[one for one in store.deliveries() if one.message.key in "ab"])
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0), store=store)

        async def scene() -> None:
            outbox.sender.restore()
            await outbox.drained()

        run_virtually(loop, scene())
        assert [keys for _, keys in channel.asked] == [list("abcde")]
        assert channel.keys == list("abcde")


class TestPace:
    """`messages_per_second` counts messages: an attempt that posts none costs no token."""

    @pytest.mark.parametrize("failure", [LOST, SendResult(SendStatus.RETRY, reason="ConnectionRefusedError")])
    def test_an_attempt_that_put_nothing_there_costs_no_turn(self, failure: SendResult) -> None:
        script: dict[str, list[Answer]] = {key: [failure] for key in "abcdef"}
        channel, _ = played(saying(*"abcdef"), script, pace=SendRate(1, 1))

        accepted = [at for at, said in channel.attempts if said == "f"]
        assert accepted[-1] <= 6

    def test_one_that_arrived_does(self) -> None:
        channel, _ = played(saying(*"abc"), {key: [ARRIVED] for key in "abc"}, pace=SendRate(1, 1))

        assert [round(at) for at in channel.times] == [0, 1, 2]

    def test_after_a_request_to_wait_every_attempt_does(self) -> None:
        """The service counts rejected attempts."""
        limited = SendResult(SendStatus.WAIT, after=timedelta(seconds=1))
        channel, _ = played(saying(*"abcd"), {"a": [limited], **{key: [LOST] for key in "bcd"}}, pace=SendRate(1, 1))

        assert [after - before >= 0.99 for before, after in zip(channel.times, channel.times[1:], strict=False)] == [
            True
        ] * 7


class TestNotDead:
    """No message is given up before it was tried for `give_up`."""

    def test_not_by_a_backlog_that_is_older(self) -> None:
        channel, outbox = played(saying(), {"a": [LOST] * 3, "b": [SendStatus.RETRY]}, store=stored_long_ago("a", "b"))

        assert channel.keys == ["a", "b"]
        assert outbox.lost == []

    def test_not_by_a_question_about_a_backlog_that_is_older(self) -> None:
        store, loop = stored_long_ago("a"), VirtualLoop()
        channel = Scripted(LoopClock(loop), accepted=list(store.deliveries()), lookups=[NotNow("HTTP 500")] * 3)
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0), store=store)

        async def scene() -> None:
            outbox.sender.restore()
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.said == []
        assert outbox.statuses == {"a": "sent"}

    def test_not_by_unknown_answers_among_others(self) -> None:
        script: dict[str, list[Answer]] = {"a": [LOST, LOST, LOST, UNKNOWN, UNKNOWN, LOST, UNKNOWN, UNKNOWN]}
        _, outbox = played(saying("a"), script)

        assert outbox.statuses == {"a": "sent"}

    @pytest.mark.parametrize(
        "long",
        [
            SendResult(SendStatus.WAIT, after=HOUR),
            SendResult(SendStatus.CREDENTIALS, after=HOUR, reason="invalid_auth"),
        ],
        ids=["asked to wait", "closed"],
    )
    def test_not_by_the_time_in_which_the_service_took_nothing(self, long: SendResult) -> None:
        _, outbox = played(saying("a"), {"a": [long, LOST, LOST]}, give_up=HOUR / 2)

        assert outbox.statuses == {"a": "sent"}


class Broken(Scripted):
    """A channel whose lookup raises as often as its script says."""

    find_errors: Sequence[Exception] = ()

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> dict[int, str] | None:
        answer = await super().lookup(deliveries, last_receipt)
        if self.find_errors:
            error, *self.find_errors = self.find_errors
            raise error
        return dict(answer) if answer is not None else None


class TestErrorsOfOurOwn:
    """They prove nothing about a message: it is kept, and retried."""

    @pytest.mark.parametrize("error", ERRORS, ids=repr)
    def test_a_message_over_which_sending_stumbles_is_kept(self, error: Exception) -> None:
        channel, outbox = played(saying("a", "b"), {"a": [error] * 40}, give_up=timedelta(minutes=1))

        assert channel.keys == ["a", "b"]
        assert outbox.lost == []

    @pytest.mark.parametrize("error", ERRORS, ids=repr)
    def test_a_question_over_which_looking_stumbles_says_not_that_nothing_is_there(self, error: Exception) -> None:
        loop = VirtualLoop()
        channel = Broken(LoopClock(loop), {"a": [ARRIVED]})
        channel.find_errors = [error] * 9
        outbox = Outbox({"slack": channel}, channel.clock, SendRate(0))

        async def scene() -> None:
            outbox.sender.restore()
            outbox.say("a", "b")
            await outbox.drained()

        run_virtually(loop, scene())
        assert channel.said == ["a", "b"]

    def test_an_answer_that_is_none_is_an_error_as_well(self) -> None:
        none: list[Answer] = [None]  # type: ignore[list-item]
        _, outbox = played(saying("a"), {"a": none})

        assert outbox.statuses == {"a": "sent"}

    def test_waits_grow(self) -> None:
        channel, _ = played(saying("a"), {"a": [TypeError()] * 12})

        assert channel.times[1] <= 0.2
        assert channel.times[-1] - channel.times[-2] >= 30

    def test_other_addresses_go_on(self) -> None:
        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            outbox.say("b", to=DEV)

        channel, _ = played(act, {"a": [TypeError()] * 40})

        assert {said: at for at, said in channel.attempts}["b"] == 0

    def test_the_traceback_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        played(saying("a"), {"a": [TypeError("bug")]})

        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert record.exc_info is not None
        assert record.exc_info[0] is TypeError

    def test_it_is_named_at_once_and_until_something_is_accepted(self) -> None:
        told: list[list[str]] = []

        async def act(outbox: Outbox) -> None:
            outbox.say("a")
            for _ in range(2):
                await outbox.clock.sleep(1)
                told.append(outbox.sender.stalls)
            await outbox.clock.sleep(3600)
            told.append(outbox.sender.stalls)

        played(act, {"a": [TypeError()] * 9})

        named = "slack:#ops: nothing accepted: TypeError in the program itself, see its log"
        assert told == [[named], [named], []]

    def test_a_receipt_that_cannot_be_read_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        failures = [StoreError("disk")] * 9

        def joined(self: Receipts, delivery: Delivery) -> Delivery:
            if failures:
                raise failures.pop()
            return delivery

        async def act(outbox: Outbox) -> None:
            outbox.recorder.submit(Batch(messages=[Message("a", DEV, Text("a"), manner=DeliveryMode.REPLY, root="r")]))

        monkeypatch.setattr(Receipts, "joined", joined)
        channel, outbox = played(act)

        assert channel.said == ["a"]
        assert outbox.statuses == {"a": "sent"}

    @pytest.mark.parametrize(
        ("error", "place"), in_turn(ERRORS, ["take_turn", "is_next", "remove", "tried"], rounds=2), ids=repr
    )
    def test_one_in_the_sender_itself_stops_no_address(
        self, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
    ) -> None:
        proper, failures = getattr(Lane, place), [error] * 5

        def broken(*arguments: object, **options: object) -> object:
            if failures:
                raise failures.pop()
            return proper(*arguments, **options)

        monkeypatch.setattr(Lane, place, broken)
        channel, outbox = played(saying("a", "b", "c"), {"a": [LOST] * 6}, pace=SendRate(10, 1))

        assert channel.keys == ["a", "b", "c"]
        assert set(outbox.statuses.values()) == {"sent"}
        assert failures == []

    def test_marks_the_books_did_not_take_are_written_with_the_next_one(self) -> None:
        async def act(outbox: Outbox) -> None:
            put = outbox.recorder.submit

            def broken(*arguments: object, **options: object) -> None:
                outbox.recorder.submit = put  # type: ignore[method-assign]
                raise RuntimeError("bug")

            outbox.say("a", "b")
            await outbox.clock.sleep(0)
            outbox.recorder.submit = broken  # type: ignore[method-assign]

        channel, outbox = played(act, {"b": [LOST]})

        assert channel.keys == ["a", "b"]
        assert outbox.statuses == {"a": "sent", "b": "sent"}
