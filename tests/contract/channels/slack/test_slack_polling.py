"""Slack by polling: what people write is taken in order and once, nothing old is obeyed, and Slack's rate is kept."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from slack_alert.channels.slack.client import Client, SlackAccess
from slack_alert.channels.slack.inbound import polling
from slack_alert.channels.slack.inbound.polling import SlackPolling
from slack_alert.channels.slack.inbound.stored_cursor import StoredCursor
from slack_alert.channels.slack.inbound.translate import SlackInstallation
from slack_alert.core.errors import StoreError
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.testing import FakeClock
from slack_alert.testing.manual_clock import MONDAY
from tests.fakes.raw_http import until
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_requests import Request


class Taken:
    """An intake that notes what it took, and may refuse the first of some texts."""

    def __init__(self, *refused: str) -> None:
        self.said: list[ChatMessage | ButtonPress] = []
        self._refused = list(refused)

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        assert isinstance(said, ChatMessage)
        if said.text in self._refused:
            self._refused.remove(said.text)
            raise StoreError
        self.said.append(said)

    @property
    def texts(self) -> list[str]:
        return [said.text for said in self.said if isinstance(said, ChatMessage)]


class Rig:
    """A door that polls the fake Slack, both on a time of their own."""

    def __init__(self, *refused: str, **workspace: object) -> None:
        self.clock = FakeClock()
        self.slack = FakeSlack(now=lambda: self.clock.now().timestamp(), **workspace)  # type: ignore[arg-type]
        self.values: list[StoredValue] = []
        self.taken = Taken(*refused)
        self.channels: Sequence[str] = ("#ops",)
        self.every = timedelta(seconds=5)
        self.door: SlackPolling
        self.write: Callable[[Sequence[StoredValue]], None] = self.values.extend

    @property
    def asked(self) -> list[Request]:
        return [each for each in self.slack.requests if each.method == "conversations.history"]

    @property
    def cursors(self) -> dict[str, str]:
        return {value.key: value.value or "" for value in self.values}

    def run(self, *acts: Callable[[], object], until_asked: int = 0, until_taken: int = 0) -> None:
        """Poll; after each act wait until the door has asked twice more, so that it has surely seen it."""

        async def whole() -> None:
            store = KeyValueStore("chat", self.values, write=self.write, now=self.clock.now)
            client = Client(SlackAccess("xoxb-test", self.slack.url))
            self.door = SlackPolling(
                StoredCursor(store), client, _installation, self.clock, channels=self.channels, every=self.every
            )
            task = asyncio.create_task(self.door.run(self.taken))
            try:
                await self._rounds(2)
                for act in acts:
                    act()
                    await self._rounds(2)
                await until(lambda: len(self.asked) >= until_asked and len(self.taken.said) >= until_taken)
                await self._rounds(1)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(asyncio.wait_for(whole(), 20))

    async def _rounds(self, count: int) -> None:
        goal = len(self.slack.requests) + count * len(self.channels)
        await until(lambda: len(self.slack.requests) > goal)


async def _installation() -> SlackInstallation:
    return SlackInstallation("T0TEST", "U0BOT")


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    with rig.slack:
        yield rig


def saying(rig: Rig, text: str, channel: str = "#ops", *, user: str = "U0ANN") -> Callable[[], object]:
    return lambda: rig.slack.say(channel, text, user=user)


def test_what_people_write_is_taken_in_order_and_once(rig: Rig) -> None:
    rig.run(saying(rig, "!one"), lambda: [rig.slack.say("#ops", f"!{each}", user="U0BOB") for each in range(5)])

    assert rig.taken.texts == ["!one", "!0", "!1", "!2", "!3", "!4"]
    first = rig.taken.said[0]
    assert (first.door, first.by.key, str(first.reply_to.to)) == ("slack.polling", "slack:T0TEST/U0ANN", "slack:C0OPS")
    assert first.ids == (f"slack:T0TEST/C0OPS/{rig.slack.messages[0].ts}",)


def test_nothing_old_is_obeyed_at_the_first_start(rig: Rig) -> None:
    rig.slack.say("#ops", "!old", user="U0ANN")

    rig.run(saying(rig, "!new"))

    assert rig.taken.texts == ["!new"]


def test_the_beginning_is_set_by_the_clock_of_slack(rig: Rig) -> None:
    """A clock that is wrong by an hour loses nothing, and obeys nothing old."""
    rig.slack.workspace.now = lambda: rig.clock.now().timestamp() - 3600
    rig.slack.say("#ops", "!old", user="U0ANN")

    rig.run(saying(rig, "!new"))

    assert rig.taken.texts == ["!new"]


def test_the_first_message_of_an_empty_channel_is_taken(rig: Rig) -> None:
    rig.slack.workspace.now = lambda: rig.clock.now().timestamp() - 3600

    rig.run(saying(rig, "!first"))

    assert rig.taken.texts == ["!first"]


def test_after_a_restart_it_goes_on_where_it_was(rig: Rig) -> None:
    rig.run(saying(rig, "!one"))
    rig.slack.say("#ops", "!meanwhile", user="U0ANN")
    rig.run(saying(rig, "!two"))

    assert rig.taken.texts == ["!one", "!meanwhile", "!two"]


def test_what_was_not_taken_is_asked_for_again_and_nothing_overtakes_it() -> None:
    rig = Rig("!two")
    with rig.slack:
        rig.run(lambda: [rig.slack.say("#ops", f"!{each}", user="U0ANN") for each in ("one", "two", "three")])

    assert rig.taken.texts == ["!one", "!two", "!three"]
    assert rig.door.state().is_open is False  # it has ended


def test_the_cursor_moves_past_what_says_nothing(rig: Rig) -> None:
    def chatter() -> None:
        rig.slack.say("#ops", "from the bot itself", user="U0BOT")

    rig.run(chatter)

    assert rig.taken.said == []
    assert rig.cursors == {"slack.polled/C0OPS": f'"{rig.slack.messages[-1].ts}"'}


def test_replies_in_threads_do_not_come_this_way(rig: Rig) -> None:
    def reply() -> None:
        parent = rig.slack.say("#ops", "!parent", user="U0ANN")
        rig.slack.say("#ops", "!reply", user="U0ANN", thread_ts=parent.ts)

    rig.run(reply)

    assert rig.taken.texts == ["!parent"]


def test_what_was_edited_meanwhile_is_no_command(rig: Rig) -> None:
    def edited() -> None:
        message = rig.slack.say("#ops", "!before", user="U0ANN")
        rig.slack.workspace.edit(message, message)

    rig.run(edited)

    assert rig.taken.texts == []


def test_many_messages_come_page_by_page(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAGE", 3)
    texts = [f"!{each}" for each in range(10)]

    rig.run(lambda: [rig.slack.say("#ops", text, user="U0ANN") for text in texts], until_asked=10)

    assert rig.taken.texts == texts


def test_more_than_can_be_read_is_told_and_the_newest_are_taken(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "PAGE", 2)
    monkeypatch.setattr(polling, "MOST_PAGES", 2)

    rig.run(lambda: [rig.slack.say("#ops", f"!{each}", user="U0ANN") for each in range(9)], until_asked=8)

    assert rig.taken.texts == ["!5", "!6", "!7", "!8"]
    assert [record.message for record in caplog.records] == ["too much was written to read it all"]


@pytest.mark.parametrize("count", [1, 4, 6])
def test_all_channels_together_keep_within_the_rate(count: int) -> None:
    channels = {f"C{number:04}": f"c{number}" for number in range(count)}
    rig = Rig(channels=channels)
    rig.channels = [f"#{name}" for name in channels.values()]
    with rig.slack:
        rig.run(until_asked=10 * count)

    times = [each.at for each in rig.asked]
    a_minute = max(sum(at <= other < at + 60 for other in times) for at in times)
    assert a_minute <= 48
    assert min(later - earlier for earlier, later in pairwise(times)) >= 1.25 - 1e-6
    per_channel = Counter(each.arguments["channel"] for each in rig.asked)
    assert max(per_channel.values()) - min(per_channel.values()) <= 1
    assert times[count * 2] - times[count] == pytest.approx(max(5.0, 1.25 * count))


def test_slack_is_left_alone_as_long_as_it_asks(rig: Rig) -> None:
    def limit() -> None:
        rig.slack.fault("rate_limited", method="conversations.history", retry_after=30, times=1)

    rig.run(limit, saying(rig, "!after"))

    limited = next(number for number, each in enumerate(rig.asked) if each.status == 429)
    assert rig.asked[limited + 1].at - rig.asked[limited].at >= 30
    assert rig.taken.texts == ["!after"]


def test_a_channel_without_the_bot_is_told_and_the_others_are_read(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.channels = ("#ops", "#open", "#nowhere")
    states = []

    rig.run(saying(rig, "!hello"), lambda: states.append(rig.door.state()))

    assert rig.taken.texts == ["!hello"]
    (state,) = states
    assert state.is_open
    assert "#open: not_in_channel, invite the app: /invite @slack-alert in " in state.reason
    assert "#nowhere: channel_not_found, " in state.reason
    assert Counter(record.message for record in caplog.records) == {"channel not read": 2}


def test_a_channel_is_read_once_the_bot_is_invited(rig: Rig) -> None:
    rig.channels = ("#open",)
    states = []

    def invite() -> None:
        states.append(rig.door.state())
        rig.slack.workspace.absent = ()

    rig.run(invite, saying(rig, "!hello", "C0OPEN"), lambda: states.append(rig.door.state()))

    assert [state.is_open for state in states] == [False, True]
    assert states[1].reason == ""
    assert rig.taken.texts == ["!hello"]


def test_a_channel_that_cannot_be_read_is_asked_less_and_less_often(rig: Rig) -> None:
    rig.channels = ("C0OPEN",)

    rig.run(until_asked=7)

    pauses = [round(later.at - earlier.at) for earlier, later in pairwise(rig.asked)]
    assert pauses[:6] == [5, 10, 20, 40, 60, 60]


def test_nothing_is_lost_while_slack_is_down(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    def meanwhile() -> None:
        rig.slack.fault("status", status=503, method="conversations.history", times=3)
        rig.slack.say("#ops", "!meanwhile", user="U0ANN")

    with caplog.at_level(logging.INFO, "slack_alert"):
        rig.run(meanwhile, until_taken=1)

    assert rig.taken.texts == ["!meanwhile"]
    assert [record.message for record in caplog.records] == ["channel not read", "channel read again"]


def test_what_was_taken_and_not_noted_comes_again_under_its_ids(rig: Rig) -> None:
    """As after a kill in between."""

    def write(entries: Sequence[StoredValue]) -> None:
        if rig.taken.said:
            raise StoreError
        rig.values += entries

    rig.write = write
    rig.run(saying(rig, "!one"))
    rig.write = rig.values.extend
    rig.run(until_taken=2)

    assert rig.taken.texts == ["!one", "!one"]
    assert len({said.ids for said in rig.taken.said}) == 1


def test_before_it_has_asked_it_is_closed() -> None:
    door = SlackPolling(
        StoredCursor(KeyValueStore("chat", (), write=lambda _: None, now=lambda: MONDAY)),
        Client(SlackAccess("xoxb-test")), _installation, FakeClock(), channels=("#ops",), every=timedelta(seconds=5),
    )  # fmt: skip

    assert (door.state().is_open, door.state().reason) == (False, "Slack was not asked yet")
