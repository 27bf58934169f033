"""Slack as a channel: the messages posted, their sender's name and icon, and their recipients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest

from slack_alert.core.content.pieces import Blocks
from slack_alert.core.retry import SendResult, SendStatus
from tests.contract.slack_rig import TOKEN, calls, delivery, sent
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


class TestPosting:
    def test_a_text_is_posted_with_its_mark_and_without_unfurling(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("1 &lt; 2"))

        (message,) = slack.messages
        assert outcome == SendResult(SendStatus.SENT, f"C0OPS/{message.ts}")
        assert calls(slack, "chat.postMessage") == [
            {
                "channel": "#ops",
                "text": "1 &lt; 2",
                "unfurl_links": False,
                "unfurl_media": False,
                "metadata": {"event_type": "slack_alert_delivery", "event_payload": {"id": "key-1"}},
            }
        ]

    def test_many_messages_go_over_one_connection(self, slack: FakeSlack) -> None:
        sent(slack, *(delivery(f"number {number}", id=number) for number in range(20)))

        assert len(slack.messages) == 20
        assert slack.connections == 1

    def test_blocks_go_with_a_text_to_read_aloud(self, slack: FakeSlack) -> None:
        block = {"type": "section", "text": {"type": "mrkdwn", "text": "*disk* full"}}

        sent(slack, delivery(Blocks({"blocks": [block]})))

        (message,) = slack.messages
        assert (message.blocks, message.text) == ([block], "*disk* full")

    def test_a_dict_of_text_alone_is_sent_as_it_is(self, slack: FakeSlack) -> None:
        sent(slack, delivery(Blocks({"text": "*raw* <!here>"})))

        assert [message.text for message in slack.messages] == ["*raw* <!here>"]

    def test_a_plugin_chooses_neither_channel_nor_token(self, slack: FakeSlack) -> None:
        sent(slack, delivery(Blocks({"text": "x", "blocks": [{"type": "divider"}], "channel": "#test", "token": "y"})))

        assert [message.channel for message in slack.messages] == ["C0OPS"]

    @pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "invalid_arguments"])
    def test_refused_blocks_are_said_as_text_in_the_same_attempt(self, slack: FakeSlack, code: str) -> None:
        slack.fault("error", code=code, times=1, method="chat.postMessage")

        (outcome,) = sent(slack, delivery(Blocks({"text": "disk full", "blocks": [{"type": "divider"}]})))

        (message,) = slack.messages
        assert outcome.status is SendStatus.SENT
        assert (message.text, message.blocks) == ("disk full", None)

    def test_a_text_that_is_too_long_goes_as_a_file(self, slack: FakeSlack) -> None:
        slack.fault("error", code="msg_too_long", times=1, method="chat.postMessage")

        (outcome,) = sent(slack, delivery("disk full\nvery"))

        assert outcome.status is SendStatus.SENT
        assert [upload.content for upload in slack.uploads] == [b"disk full\nvery"]
        assert [message.text.splitlines()[0] for message in slack.messages] == ["disk full"]

    def test_a_text_that_would_be_cut_goes_as_a_file(self, slack: FakeSlack) -> None:
        sent(slack, delivery(Blocks({"text": "x" * 40_001})))

        assert [upload.length for upload in slack.uploads] == [40_001]

    def test_text_that_is_refused_altogether_is_a_fault_of_the_payload(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery(" "))

        assert (outcome.status, outcome.reason) == (SendStatus.PAYLOAD, "no_text")


class TestFace:
    @pytest.mark.parametrize("emoji", ["fire", ":fire:"])
    def test_name_and_icon_are_used(self, slack: FakeSlack, emoji: str) -> None:
        sent(slack, delivery("x"), username="Watch", icon_emoji=emoji, icon_url="https://example.com/a.png")

        (message,) = slack.messages
        assert (message.username, message.icon_emoji) == ("Watch", ":fire:")
        assert message.icon_url == "https://example.com/a.png"

    def test_without_the_scope_they_are_left_out_and_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"chat:write.customize"}) as slack:
            outcomes = sent(slack, delivery("one"), delivery("two", id=2), username="Watch", icon_emoji="fire")

        assert [outcome.status for outcome in outcomes] == [SendStatus.SENT, SendStatus.SENT]
        assert [message.username for message in slack.messages] == [None, None]
        assert len(calls(slack, "chat.postMessage")) == 3
        assert [record.message for record in caplog.records] == ["name and icon not used"]

    def test_a_token_that_may_not_mark_messages_still_sends_them(self, slack: FakeSlack) -> None:
        slack.fault("error", code="metadata_must_be_sent_from_app", times=1)

        outcomes = sent(slack, delivery("one"), delivery("two", id=2))

        assert [outcome.status for outcome in outcomes] == [SendStatus.SENT, SendStatus.SENT]
        assert [message.metadata for message in slack.messages] == [None, None]


class TestPeople:
    def test_people_are_called_by_id(self, slack: FakeSlack) -> None:
        sent(slack, delivery("<@ann> <@Ann> <@U0BOB> <!here>"), delivery("<@bob>", id=2))

        assert [message.text for message in slack.messages] == ["<@U0ANN> <@U0ANN> <@U0BOB> <!here>", "<@U0BOB>"]
        assert len(calls(slack, "users.list")) == 1

    @pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_names_are_found_in_whatever_form_of_unicode(self, form: Literal["NFC"], other: Literal["NFC"]) -> None:
        channels, users = {"C0KEY": normalize(other, "schlüssel")}, {"U0JO": normalize(other, "josé")}
        with FakeSlack(token=TOKEN, channels=channels, users=users) as slack:
            person = normalize(form, "José")
            outcomes = sent(
                slack, delivery(f"<@{person}>", to=f"@{person}"), delivery(f"<@{person}>", to="C0KEY", id=2)
            )

            assert [outcome.status for outcome in outcomes] == [SendStatus.SENT, SendStatus.SENT]
            assert [message.text for message in slack.messages] == ["<@U0JO>", "<@U0JO>"]

    def test_whom_nobody_knows_is_named_without_being_called(self, slack: FakeSlack) -> None:
        sent(slack, delivery("<@carol> look"), delivery("<@carol> again", id=2))

        assert [message.text for message in slack.messages] == ["@carol look", "@carol again"]
        assert len(calls(slack, "users.list")) == 1

    def test_without_the_scope_people_are_named_only(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"users:read"}) as slack:
            (outcome,) = sent(slack, delivery("<@ann> look"))

        assert outcome.status is SendStatus.SENT
        assert [message.text for message in slack.messages] == ["@ann look"]

    @pytest.mark.parametrize("to", ["@ann", "U0ANN"])
    def test_a_person_is_written_to_directly(self, slack: FakeSlack, to: str) -> None:
        (outcome,) = sent(slack, delivery("x", to=to))

        (message,) = slack.messages
        assert slack.workspace.conversations[message.channel] == ("U0ANN",)
        assert outcome.receipt == f"{message.channel}/{message.ts}"

    def test_an_unknown_person_is_a_wrong_address(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("x", to="@carol"))

        assert (outcome.status, outcome.reason) == (SendStatus.DESTINATION, "user_not_found")
        assert "@carol" in outcome.hint

    def test_a_lookup_that_broke_off_is_surely_not_sent(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="users.list")

        (outcome,) = sent(slack, delivery("x", to="@ann"))

        assert outcome.status is SendStatus.RETRY


@pytest.mark.slow
def test_the_vendor_is_imported_by_open_only_and_works_under_gevent(slack: FakeSlack) -> None:
    program = f"""
from gevent import monkey; monkey.patch_all()
import asyncio, sys
from datetime import datetime, timezone
from slack_alert.channels.slack import SlackChannel
from slack_alert.core.model.address import Address; from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.content.pieces import Text, Upload
channel = SlackChannel("xoxb-test", api_url={slack.url!r})
assert not {{"aiohttp", "slack_sdk", "urllib.request"}} & set(sys.modules)
async def main():
    await channel.open()
    for number, piece in enumerate([Text("one"), Upload("a.txt", b"x", comment="two")]):
        to = Message(str(number), Address("slack", "#ops"), piece)
        print((await channel.send(Delivery(number, to, datetime.now(timezone.utc)), None)).status.value)
    await channel.close()
asyncio.run(main())
"""
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout, done.stderr) == ("sent\nsent\n", "")
    assert [message.text for message in slack.messages] == ["one", "two"]
