"""Slack as a channel: looking before a message is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.errors import NotNow
from slack_alert.core.model import Delivery
from slack_alert.core.parts import Blocks, Piece, Upload
from tests.contract.slack_rig import TOKEN, calls, delivery, sent, using
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


class TestFinding:
    def found(
        self, slack: FakeSlack, waiting: Sequence[Delivery], *, last: str | None = None, send: bool = True
    ) -> Mapping[int, str] | None:
        async def act(channel: SlackChannel) -> Mapping[int, str] | None:
            if send:
                for each in waiting:
                    await channel.send(each, None)
            return await channel.find(waiting, last)

        return using(slack, act)

    def test_what_was_accepted_is_found(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="chat.postMessage")

        found = self.found(slack, [delivery("x")])

        (message,) = slack.messages
        assert found == {1: f"C0OPS/{message.ts}"}

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
            return [await channel.find(waiting, None), await channel.find(waiting, None)]

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

    @pytest.mark.parametrize(
        "piece",
        [Upload("a.txt", b"x"), Blocks({"text": "x", "thread_ts": "1.000001", "blocks": []})],
        ids=["file", "reply"],
    )
    def test_what_the_history_does_not_show_cannot_be_told(self, slack: FakeSlack, piece: Piece) -> None:
        assert self.found(slack, [delivery(piece)], last="C0OPS/1.0", send=False) is None
