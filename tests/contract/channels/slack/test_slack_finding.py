"""Slack as a channel: looking up an ambiguous message before it is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.content.pieces import Blocks, Piece, Upload
from slack_alert.core.errors import NotNow
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.retry import SendStatus
from slack_alert.core.structs import replace
from tests.contract.slack_rig import TOKEN, calls, delivery, sent, using
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def edit_of(former: Delivery, text: str, number: int) -> Delivery:
    later = delivery(text, id=number)
    return replace(later, message=replace(later.message, manner=DeliveryMode.EDIT, root=former.message.key))


class TestFinding:
    def found(
        self, slack: FakeSlack, waiting: Sequence[Delivery], *, last: str | None = None, send: bool = True
    ) -> Mapping[int, str] | None:
        async def act(channel: SlackChannel) -> Mapping[int, str] | None:
            if send:
                for each in waiting:
                    await channel.send(each, None)
            return await channel.lookup(waiting, last)

        return using(slack, act)

    def test_what_was_accepted_is_found(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="chat.postMessage")

        found = self.found(slack, [delivery("x")])

        (message,) = slack.messages
        assert found == {1: f"C0OPS/{message.ts}"}

    def test_what_was_edited_since_is_found(self, slack: FakeSlack) -> None:
        """Where the disk was full, a kill leaves a message in doubt that was edited already."""
        posted = delivery("91 %")
        (outcome,) = sent(slack, posted)
        edits = [edit_of(posted, "92 %", 2), edit_of(edit_of(posted, "92 %", 2), "93 %", 3)]
        sent(slack, *(replace(each, follows=outcome.receipt) for each in edits))

        found = self.found(slack, [posted], send=False)

        assert found == {1: outcome.receipt}

    def test_what_was_lost_is_not_found(self, slack: FakeSlack) -> None:
        slack.fault("reset_before", method="chat.postMessage", skip=1)

        found = self.found(slack, [delivery("one"), delivery("two", id=2)])

        assert found is not None
        assert set(found) == {1}

    @pytest.mark.parametrize("to", ["#ops", "C0OPS", "@ann", "U0ANN", "#team"])
    def test_after_a_restart_the_conversation_is_looked_up(self, slack: FakeSlack, to: str) -> None:
        waiting = [delivery("x", to=to)]
        sent(slack, *waiting)

        found = self.found(slack, waiting, send=False)

        (message,) = slack.messages
        assert found == {1: f"{message.channel}/{message.ts}"}

    def test_the_last_receipt_names_the_conversation(self, slack: FakeSlack) -> None:
        first, second = delivery("one"), delivery("two", id=2)
        receipts = [outcome.receipt for outcome in sent(slack, first, second)]

        found = self.found(slack, [second], last=receipts[0], send=False)

        assert found == {2: receipts[1]}
        assert calls(slack, "conversations.list") == []

    def test_a_clock_ahead_of_slacks_does_not_hide_it(self, slack: FakeSlack) -> None:
        ahead = datetime.now(timezone.utc) + timedelta(minutes=10)
        first, second = delivery("one"), delivery("two", id=2)
        late = Delivery(2, second.message, ahead)
        receipts = [outcome.receipt for outcome in sent(slack, first, late)]

        assert self.found(slack, [late], last=receipts[0], send=False) == {2: receipts[1]}

    @pytest.mark.parametrize("minutes", [-600, -10, -0.4, 0.4, 10, 600])
    @pytest.mark.parametrize("is_first", [True, False], ids=["first message", "later"])
    @pytest.mark.parametrize("is_former", [True, False], ids=["of a former process", "of this one"])
    def test_no_clock_hides_it(self, slack: FakeSlack, minutes: float, is_first: bool, is_former: bool) -> None:
        """Whether ours is ahead of Slack's or behind, and known or not when Slack accepted something last."""
        wrong = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        first, second = Delivery(1, delivery("one").message, wrong), Delivery(2, delivery("two", id=2).message, wrong)

        async def act(channel: SlackChannel) -> tuple[str | None, Mapping[int, str] | None]:
            receipt = None if is_first else (await channel.send(first, None)).receipt
            slack.fault("reset_after", method="chat.postMessage")
            await channel.send(second, None)
            return receipt, None if is_former else await channel.lookup([second], receipt)

        receipt, found = using(slack, act)
        if is_former:
            found = self.found(slack, [second], last=receipt, send=False)

        assert found == {2: f"C0OPS/{slack.messages[-1].ts}"}

    def test_what_was_attempted_here_is_looked_for_after_the_last_number_of_slacks(self, slack: FakeSlack) -> None:
        first, second = delivery("one"), delivery("two", id=2)

        async def act(channel: SlackChannel) -> str:
            receipt = (await channel.send(first, None)).receipt
            slack.fault("reset_after", method="chat.postMessage")
            await channel.send(second, None)
            await channel.lookup([second], None)
            return str(receipt)

        number = using(slack, act).partition("/")[2]
        (asked,) = calls(slack, "conversations.history")
        assert 0 < float(number) - float(asked["oldest"]) <= 10

    def test_it_is_found_behind_a_page_of_others(self, slack: FakeSlack) -> None:
        waiting = [delivery("x")]
        sent(slack, *waiting)
        for number in range(250):
            slack.say("C0OPS", f"chatter {number}", user="U0ANN")

        assert self.found(slack, waiting, send=False) == {1: f"C0OPS/{slack.messages[0].ts}"}

    @pytest.mark.parametrize(
        ("to", "scopes"), [("#ops", ALL_SCOPES - {"channels:history"}), ("#open", ALL_SCOPES)], ids=["scope", "member"]
    )
    def test_where_nobody_may_look_it_cannot_be_told(
        self, caplog: pytest.LogCaptureFixture, to: str, scopes: frozenset[str]
    ) -> None:
        waiting = [delivery("x", to=to)]

        async def act(channel: SlackChannel) -> list[Mapping[int, str] | None]:
            await channel.send(waiting[0], None)
            return [await channel.lookup(waiting, None), await channel.lookup(waiting, None)]

        with FakeSlack(scopes=scopes) as slack:
            found = using(slack, act)

        assert found == [None, None]
        (record,) = caplog.records
        assert "channels:history" in str(record.__dict__["hint"])

    def test_with_slack_away_it_cannot_be_told_now_and_no_scope_is_blamed(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        slack.stop_listening()

        with pytest.raises(NotNow):
            self.found(slack, [delivery("x")], last="C0OPS/1.0", send=False)

        assert caplog.records == []

    def test_a_file_of_a_former_process_is_not_found(self, slack: FakeSlack) -> None:
        waiting = [delivery(Upload("a.txt", b"x"))]
        sent(slack, *waiting)

        assert self.found(slack, waiting, last="C0OPS/1.0", send=False) == {}

    @pytest.mark.parametrize("send", [True, False], ids=["of this process", "of a former one"])
    def test_what_was_said_in_place_of_a_file_is_found(self, slack: FakeSlack, send: bool) -> None:
        slack.fault("error", method="files.getUploadURLExternal", code="file_uploads_disabled")
        waiting = [delivery(Upload("a.txt", b"x"))]
        if send:
            slack.fault("reset_after", method="chat.postMessage", times=1)
        else:
            sent(slack, *waiting)

        assert self.found(slack, waiting, send=send) == {1: f"C0OPS/{slack.messages[-1].ts}"}

    def test_nothing_is_remembered_of_what_was_found_or_accepted(self, slack: FakeSlack) -> None:
        async def act(channel: SlackChannel) -> list[object]:
            for number in range(1, 9):
                one = delivery("x" if number % 3 else Upload("a.txt", b"x"), id=number)
                slack.fault("reset_after", method="chat.postMessage", times=1)
                slack.fault("reset_after", method="files.completeUploadExternal", times=1)
                if (await channel.send(one, None)).status is not SendStatus.SENT:
                    assert await channel.lookup([one], None)
                slack.clear_faults()
            return [channel._poster.files, channel._bounds._before, channel._begun]

        assert using(slack, act) == [{}, {}, {}]


class TestFindingInThreads:
    """Replies are in the thread of a message, which the conversation's history does not show."""

    def root(self, slack: FakeSlack) -> str:
        (outcome,) = sent(slack, delivery("91 %", id=9))
        assert outcome.receipt is not None
        return outcome.receipt

    def following(
        self, piece: Piece | str, follows: str, *, manner: DeliveryMode = DeliveryMode.REPLY, number: int = 1
    ) -> Delivery:
        later = delivery(piece, id=number)
        return replace(later, message=replace(later.message, manner=manner, root="first"), follows=follows)

    def found(self, slack: FakeSlack, *waiting: Delivery, send: bool = True) -> Mapping[int, str] | None:
        async def act(channel: SlackChannel) -> Mapping[int, str] | None:
            for each in waiting if send else ():
                await channel.send(each, None)
            return await channel.lookup(waiting, None)

        return using(slack, act)

    @pytest.mark.parametrize(
        ("piece", "manner"),
        [
            ("92 %", DeliveryMode.REPLY),
            (Blocks({"blocks": [{"type": "divider"}]}), DeliveryMode.REPLY),
            (Upload("a.txt", b"x"), DeliveryMode.REPLY),
            (Upload("a.txt", b"x"), DeliveryMode.EDIT),
        ],
        ids=["text", "blocks", "file", "file that cannot be edited"],
    )
    def test_what_was_accepted_is_found_in_the_thread(
        self, slack: FakeSlack, piece: Piece | str, manner: DeliveryMode
    ) -> None:
        root = self.root(slack)
        slack.fault("reset_after", method="chat.postMessage")
        slack.fault("reset_after", method="files.completeUploadExternal")

        found = self.found(slack, self.following(piece, root, manner=manner))

        _, reply = slack.messages
        assert found == {1: f"C0OPS/{reply.ts}"}
        assert reply.thread_ts == slack.messages[0].ts

    def test_one_thread_is_asked_once_for_all_that_may_be_there(self, slack: FakeSlack) -> None:
        root = self.root(slack)
        waiting = [self.following(f"9{number} %", root, number=number) for number in (2, 3, 4)]
        sent(slack, *waiting[:2])

        assert set(self.found(slack, *waiting, send=False) or ()) == {2, 3}
        assert [call["ts"] for call in calls(slack, "conversations.replies")] == [slack.messages[0].ts]

    def test_it_is_found_behind_a_page_of_others(self, slack: FakeSlack) -> None:
        root = self.root(slack)
        reply = self.following("92 %", root)
        for number in range(250):
            slack.say("C0OPS", f"chatter {number}", user="U0ANN", thread_ts=slack.messages[0].ts)
        sent(slack, reply)

        assert self.found(slack, reply, send=False) == {1: f"C0OPS/{slack.messages[-1].ts}"}

    def test_what_was_said_anew_because_the_first_is_gone_is_found_in_the_conversation(self, slack: FakeSlack) -> None:
        slack.fault("error", method="chat.postMessage", code="thread_not_found", times=1)
        slack.fault("reset_after", method="chat.postMessage")

        found = self.found(slack, self.following("92 %", "C0OPS/1.000001"))

        (anew,) = slack.messages
        assert (found, anew.thread_ts) == ({1: f"C0OPS/{anew.ts}"}, None)

    def test_a_thread_of_the_plugins_own_is_looked_into(self, slack: FakeSlack) -> None:
        thread = self.root(slack).partition("/")[2]
        waiting = delivery(Blocks({"text": "x", "thread_ts": thread, "blocks": [{"type": "divider"}]}))
        slack.fault("reset_after", method="chat.postMessage")

        assert self.found(slack, waiting) == {1: f"C0OPS/{slack.messages[-1].ts}"}

    def test_what_was_lost_is_not_found(self, slack: FakeSlack) -> None:
        root = self.root(slack)
        slack.fault("reset_before", method="chat.postMessage")

        assert self.found(slack, self.following("92 %", root)) == {}

    def test_a_message_is_edited_again_without_asking_for_its_thread(self, slack: FakeSlack) -> None:
        root = self.root(slack)
        slack.fault("reset_after", method="chat.update")

        assert self.found(slack, self.following("92 %", root, manner=DeliveryMode.EDIT)) == {1: root}
        assert calls(slack, "conversations.replies") == []

    def test_where_nobody_may_look_it_cannot_be_told(self, caplog: pytest.LogCaptureFixture) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"channels:history"}) as slack:
            root = self.root(slack)
            found = self.found(slack, self.following("92 %", root))

        assert found is None
        (record,) = caplog.records
        assert "channels:history" in str(record.__dict__["hint"])

    def test_with_slack_away_it_cannot_be_told_now(self, slack: FakeSlack) -> None:
        root = self.root(slack)
        slack.fault("rate_limited", method="conversations.replies")

        with pytest.raises(NotNow):
            self.found(slack, self.following("92 %", root))
