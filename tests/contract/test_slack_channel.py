"""Slack as a channel, against a Slack that enforces its contract and breaks connections on request."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest

from slack_alert.channels.slack import Finding, SlackChannel
from slack_alert.core.backoff import Fate, Outcome
from slack_alert.core.errors import BadValue
from slack_alert.core.model import Address, Delivery, Message
from slack_alert.core.parts import Blocks, Piece, Text, Upload
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Kind
from tests.fakes.slack_workspace import ALL_SCOPES

TOKEN = "xoxb-test"
Result = TypeVar("Result")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def delivery(piece: Piece | str, *, to: str = "#ops", id: int = 1) -> Delivery:  # noqa: A002
    said = Text(piece) if isinstance(piece, str) else piece
    return Delivery(id, Message(f"key-{id}", Address("slack", to), said), datetime.now(timezone.utc))


def using(
    slack: FakeSlack,
    act: Callable[[SlackChannel], Awaitable[Result]],
    **options: Any,  # Any: the channel's own
) -> Result:
    """Run something with an open channel and close it."""

    async def whole() -> Result:
        channel = SlackChannel(**{"token": TOKEN, "api_url": slack.url, **options})
        await channel.open()
        try:
            return await act(channel)
        finally:
            await channel.close()

    return asyncio.run(whole())


def sent(slack: FakeSlack, *waiting: Delivery, **options: Any) -> list[Outcome]:
    async def act(channel: SlackChannel) -> list[Outcome]:
        return [await channel.send(each, None) for each in waiting]

    return using(slack, act, **options)


def calls(slack: FakeSlack, method: str) -> list[dict[str, Any]]:
    return [dict(request.arguments) for request in slack.requests if request.method == method]


async def answered(kind: str, body: bytes) -> Outcome:
    """Send to something that gives one answer, whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = SlackChannel(TOKEN, api_url=f"http://127.0.0.1:{port}/api/")
    outcome = await channel.send(delivery("x"), None)
    await channel.close()
    server.close()
    await server.wait_closed()
    return outcome


class TestPosting:
    def test_a_text_is_posted_with_its_mark_and_without_unfurling(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("1 &lt; 2"))

        (message,) = slack.messages
        assert outcome == Outcome(Fate.SENT, f"C0OPS/{message.ts}")
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
        assert outcome.fate is Fate.SENT
        assert (message.text, message.blocks) == ("disk full", None)

    def test_a_text_that_is_too_long_goes_as_a_file(self, slack: FakeSlack) -> None:
        slack.fault("error", code="msg_too_long", times=1, method="chat.postMessage")

        (outcome,) = sent(slack, delivery("disk full\nvery"))

        assert outcome.fate is Fate.SENT
        assert [upload.content for upload in slack.uploads] == [b"disk full\nvery"]
        assert [message.text.splitlines()[0] for message in slack.messages] == ["disk full"]

    def test_a_text_that_would_be_cut_goes_as_a_file(self, slack: FakeSlack) -> None:
        sent(slack, delivery(Blocks({"text": "x" * 40_001})))

        assert [upload.length for upload in slack.uploads] == [40_001]

    def test_text_that_is_refused_altogether_is_a_fault_of_the_payload(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery(" "))

        assert (outcome.fate, outcome.reason) == (Fate.PAYLOAD, "no_text")


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

        assert [outcome.fate for outcome in outcomes] == [Fate.SENT, Fate.SENT]
        assert [message.username for message in slack.messages] == [None, None]
        assert len(calls(slack, "chat.postMessage")) == 3
        assert [record.message for record in caplog.records] == ["name and icon not used"]

    def test_a_token_that_may_not_mark_messages_still_sends_them(self, slack: FakeSlack) -> None:
        slack.fault("error", code="metadata_must_be_sent_from_app", times=1)

        outcomes = sent(slack, delivery("one"), delivery("two", id=2))

        assert [outcome.fate for outcome in outcomes] == [Fate.SENT, Fate.SENT]
        assert [message.metadata for message in slack.messages] == [None, None]


class TestPeople:
    def test_people_are_called_by_id(self, slack: FakeSlack) -> None:
        sent(slack, delivery("<@ann> <@Ann> <@U0BOB> <!here>"), delivery("<@bob>", id=2))

        assert [message.text for message in slack.messages] == ["<@U0ANN> <@U0ANN> <@U0BOB> <!here>", "<@U0BOB>"]
        assert len(calls(slack, "users.list")) == 1

    def test_whom_nobody_knows_is_named_without_being_called(self, slack: FakeSlack) -> None:
        sent(slack, delivery("<@carol> look"), delivery("<@carol> again", id=2))

        assert [message.text for message in slack.messages] == ["@carol look", "@carol again"]
        assert len(calls(slack, "users.list")) == 1

    def test_without_the_scope_people_are_named_only(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"users:read"}) as slack:
            (outcome,) = sent(slack, delivery("<@ann> look"))

        assert outcome.fate is Fate.SENT
        assert [message.text for message in slack.messages] == ["@ann look"]

    @pytest.mark.parametrize("to", ["@ann", "U0ANN"])
    def test_a_person_is_written_to_directly(self, slack: FakeSlack, to: str) -> None:
        (outcome,) = sent(slack, delivery("x", to=to))

        (message,) = slack.messages
        assert slack.workspace.conversations[message.channel] == ("U0ANN",)
        assert outcome.receipt == f"{message.channel}/{message.ts}"

    def test_an_unknown_person_is_a_wrong_address(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("x", to="@carol"))

        assert (outcome.fate, outcome.reason) == (Fate.DESTINATION, "user_not_found")
        assert "@carol" in outcome.hint

    def test_a_lookup_that_broke_off_is_surely_not_sent(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="users.list")

        (outcome,) = sent(slack, delivery("x", to="@ann"))

        assert outcome.fate is Fate.RETRY


class TestUploads:
    @pytest.mark.parametrize(("to", "channel"), [("#ops", "C0OPS"), ("C0TEST", "C0TEST"), ("#team", "G0TEAM")])
    def test_a_file_is_shared_with_its_comment(self, slack: FakeSlack, to: str, channel: str) -> None:
        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc", title="A", comment="for <@ann>"), to=to))

        (upload,) = slack.uploads
        (message,) = slack.messages
        assert outcome == Outcome(Fate.SENT, f"{channel}/{upload.id}")
        assert (upload.filename, upload.title, upload.content) == ("a.txt", "A", b"abc")
        assert (message.channel, message.text, message.files) == (channel, "for <@U0ANN>", ("a.txt",))

    def test_public_channels_are_found_without_the_scope_for_private_ones(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"groups:read"}) as slack:
            (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc")))

        assert outcome.fate is Fate.SENT
        assert [message.files for message in slack.messages] == [("a.txt",)]

    @pytest.mark.parametrize("to", ["@ann", "U0ANN"])
    def test_a_file_to_a_person_opens_the_conversation(self, slack: FakeSlack, to: str) -> None:
        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc"), to=to))

        (message,) = slack.messages
        assert outcome.fate is Fate.SENT
        assert slack.workspace.conversations[message.channel] == ("U0ANN",)

    def test_a_path_is_read_when_it_is_sent(self, slack: FakeSlack, tmp_path: Path) -> None:
        file = tmp_path / "a.bin"
        file.write_bytes(b"\x00\xff")

        sent(slack, delivery(Upload("a.bin", file)))

        assert [upload.content for upload in slack.uploads] == [b"\x00\xff"]

    def test_a_large_file_goes_through(self, slack: FakeSlack) -> None:
        content = bytes(3_000_000)

        sent(slack, delivery(Upload("a.bin", content)))

        assert [upload.content for upload in slack.uploads] == [content]

    @pytest.mark.parametrize(
        ("piece", "to", "without", "words"),
        [
            (Upload("a.txt", b"x", comment="why"), "#ops", "files:write", "add the scope files:write"),
            (Upload("a.txt", b"x", comment="why"), "#ops", "channels:read", "add the scope channels:read"),
            (Upload("a.txt", b"", comment="why"), "#ops", "", "without content"),
            (Upload("a.txt", Path("/nowhere/a.txt"), comment="why"), "#ops", "", "/nowhere/a.txt: No such file"),
            (Upload("a.txt", b"x", comment="why"), "#open", "", "/invite @slack-alert in #open"),
        ],
    )
    def test_a_file_slack_does_not_take_is_told_in_text(self, piece: Upload, to: str, without: str, words: str) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {without}) as slack:
            (outcome,) = sent(slack, delivery(piece, to=to))

        (message,) = slack.messages
        assert outcome.fate is Fate.SENT
        assert message.text.startswith("a.txt")
        assert "why" in message.text
        assert words in message.text

    @pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload"])
    @pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut", "html"])
    def test_what_breaks_before_the_last_step_was_surely_not_said(
        self, slack: FakeSlack, method: str, kind: Kind
    ) -> None:
        slack.fault(kind, method=method)

        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc")))

        assert outcome.fate is Fate.RETRY
        assert slack.messages == []

    def test_the_last_step_may_have_been_taken(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="files.completeUploadExternal")

        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc")))

        assert outcome.fate is Fate.AMBIGUOUS


class TestOutcomes:
    @pytest.mark.parametrize(
        ("kind", "fate", "accepted"),
        [
            ("rate_limited", Fate.WAIT, 0),
            ("html", Fate.AMBIGUOUS, 0),
            ("truncated", Fate.AMBIGUOUS, 1),
            ("empty", Fate.AMBIGUOUS, 1),
            ("cut", Fate.AMBIGUOUS, 1),
            ("reset_before", Fate.AMBIGUOUS, 0),
            ("reset_after", Fate.AMBIGUOUS, 1),
        ],
    )
    def test_a_fault_becomes_an_outcome(self, slack: FakeSlack, kind: Kind, fate: Fate, accepted: int) -> None:
        slack.fault(kind, retry_after=7)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.fate is fate
        assert len(slack.messages) == accepted
        assert len(calls(slack, "chat.postMessage")) == 1
        if fate is Fate.WAIT:
            assert outcome.after == timedelta(seconds=7)

    @pytest.mark.parametrize(
        ("status", "body", "fate"),
        [
            (403, "<html>blocked</html>", Fate.RETRY),
            (502, "<html>bad gateway</html>", Fate.AMBIGUOUS),
            (200, "<html>log in to the wireless network</html>", Fate.AMBIGUOUS),
            (200, "", Fate.AMBIGUOUS),
        ],
    )
    def test_a_page_in_place_of_an_answer(self, slack: FakeSlack, status: int, body: str, fate: Fate) -> None:
        slack.fault("status", status=status, body=body)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.fate is fate

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("text/plain", b"ok", (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/gzip", b"x", (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"[1]", (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"null", (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"\xff\xfe{", (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": false}', (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": false, "error": {"a": 1}}', (Fate.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": true}', (Fate.SENT, "")),
        ],
    )
    def test_no_answer_makes_it_raise(self, kind: str, body: bytes, expected: tuple[Fate, str]) -> None:
        outcome = asyncio.run(answered(kind, body))

        assert (outcome.fate, outcome.reason) == expected

    def test_a_slack_that_is_away_was_surely_not_reached(self, slack: FakeSlack) -> None:
        slack.stop_listening()

        (outcome,) = sent(slack, delivery("x"))

        assert (outcome.fate, outcome.reason) == (Fate.RETRY, "ClientConnectorError")
        assert "127.0.0.1" in outcome.hint

    def test_a_failed_tls_handshake_is_surely_not_sent(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("x"), api_url=slack.url.replace("http:", "https:"))

        assert outcome.fate is Fate.RETRY

    @pytest.mark.slow
    def test_an_answer_that_does_not_come_leaves_it_open(self, slack: FakeSlack) -> None:
        slack.fault("slow", delay=1.0)

        (outcome,) = sent(slack, delivery("x"), timeout=timedelta(seconds=0.3))

        assert outcome.fate is Fate.AMBIGUOUS
        assert len(slack.messages) == 1

    @pytest.mark.parametrize(
        ("to", "reason", "words"),
        [
            ("#nowhere", "channel_not_found", "#nowhere does not exist"),
            ("#old", "is_archived", "#old is archived"),
            ("", "channel_not_found", "the conversation does not exist"),
        ],
    )
    def test_a_wrong_address_says_what_to_do(self, slack: FakeSlack, to: str, reason: str, words: str) -> None:
        (outcome,) = sent(slack, delivery("x", to=to))

        assert (outcome.fate, outcome.reason) == (Fate.DESTINATION, reason)
        assert words in outcome.hint

    def test_a_conversation_without_the_app_asks_for_an_invitation(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"chat:write.public"}) as slack:
            (outcome,) = sent(slack, delivery("x", to="#open"))

        assert outcome.hint == "invite the app: /invite @slack-alert in #open"

    def test_a_wrong_token_closes_the_channel_and_is_never_shown(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = "xoxb-secret-123"
        with caplog.at_level(logging.DEBUG):
            (outcome,) = sent(slack, delivery("x"), token=secret, proxy=None)

        assert (outcome.fate, outcome.reason) == (Fate.CREDENTIALS, "invalid_auth")
        assert "doctor" in outcome.hint
        assert secret not in f"{outcome} {caplog.text} {SlackChannel(secret)!r}"

    def test_a_proxy_that_is_away_was_surely_not_reached_and_its_password_is_not_shown(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            (outcome,) = sent(slack, delivery("x"), proxy="http://ann:secret@127.0.0.1:9")

        assert (outcome.fate, outcome.reason) == (Fate.RETRY, "ClientProxyConnectionError")
        assert "secret" not in f"{outcome} {caplog.text}"

    @pytest.mark.parametrize(("no_proxy", "fate"), [("127.0.0.1", Fate.SENT), ("example.com", Fate.RETRY)])
    def test_the_proxy_of_the_environment_is_taken_but_for_hosts_it_excepts(
        self, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, no_proxy: str, fate: Fate
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, no_proxy)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.fate is fate

    def test_an_unusable_ca_file_is_told_at_the_start(self, slack: FakeSlack, tmp_path: Path) -> None:
        with pytest.raises(BadValue, match="ca_file"):
            sent(slack, delivery("x"), ca_file=tmp_path / "none.pem")


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

    def test_with_slack_away_it_cannot_be_told_and_no_scope_is_blamed(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        slack.stop_listening()

        assert self.found(slack, [delivery("x")], last="C0OPS/1.0", send=False) is None
        assert caplog.records == []

    @pytest.mark.parametrize(
        "piece",
        [Upload("a.txt", b"x"), Blocks({"text": "x", "thread_ts": "1.000001", "blocks": []})],
        ids=["file", "reply"],
    )
    def test_what_the_history_does_not_show_cannot_be_told(self, slack: FakeSlack, piece: Piece) -> None:
        assert self.found(slack, [delivery(piece)], last="C0OPS/1.0", send=False) is None


class TestCheck:
    def findings(self, slack: FakeSlack, *conversations: str, behind: timedelta = timedelta()) -> list[Finding]:
        now = datetime.now(timezone.utc) - behind
        return using(slack, lambda channel: channel.check(conversations, now=now))

    def test_a_complete_app_has_nothing_to_be_told(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES | {"metadata.message:read"}) as slack:
            findings = self.findings(slack, "#ops", "@ann", "U0BOB", "C0TEST")

        assert {finding.level for finding in findings} == {"ok"}
        assert "slack-alert in Testing" in findings[0].what

    @pytest.mark.parametrize(
        ("conversation", "level", "words"),
        [
            ("#opss", "error", "did you mean #ops?"),
            ("#open", "warning", "/invite @slack-alert in #open"),
            ("#old", "error", "unarchive it"),
            ("#secret", "error", "invite the app there"),
            ("@carol", "error", "@carol cannot be written to"),
        ],
    )
    def test_a_conversation_out_of_reach_is_told(
        self, slack: FakeSlack, conversation: str, level: str, words: str
    ) -> None:
        *_, finding = self.findings(slack, conversation)

        assert finding.level == level
        assert finding.what.startswith(conversation)
        assert words in finding.action

    def test_a_missing_scope_is_told_with_what_is_lost(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"files:write", "chat:write"}) as slack:
            findings = self.findings(slack)

        told = {finding.what: finding.level for finding in findings}
        assert told["scope chat:write is missing, to post messages"] == "error"
        assert told["scope files:write is missing, to upload files and pictures"] == "warning"

    def test_a_clock_that_is_wrong_is_told(self, slack: FakeSlack) -> None:
        findings = self.findings(slack, behind=timedelta(minutes=5))

        (finding,) = [each for each in findings if each.what.startswith("clock")]
        assert finding.level == "warning"
        assert "s behind Slack's" in finding.what

    def test_a_wrong_token_ends_the_examination(self, slack: FakeSlack) -> None:
        findings = using(
            slack, lambda channel: channel.check(["#ops"], now=datetime.now(timezone.utc)), token="xoxb-no"
        )

        assert [(finding.level, finding.what) for finding in findings] == [("error", "token: Slack says invalid_auth")]


@pytest.mark.slow
def test_the_vendor_is_imported_by_open_only_and_works_under_gevent(slack: FakeSlack) -> None:
    program = f"""
from gevent import monkey; monkey.patch_all()
import asyncio, sys
from datetime import datetime, timezone
from slack_alert.channels.slack import SlackChannel
from slack_alert.core.model import Address, Delivery, Message
from slack_alert.core.parts import Text, Upload
channel = SlackChannel("xoxb-test", api_url={slack.url!r})
assert not {{"aiohttp", "slack_sdk", "urllib.request"}} & set(sys.modules)
async def main():
    await channel.open()
    for number, piece in enumerate([Text("one"), Upload("a.txt", b"x", comment="two")]):
        to = Message(str(number), Address("slack", "#ops"), piece)
        print((await channel.send(Delivery(number, to, datetime.now(timezone.utc)), None)).fate.value)
    await channel.close()
asyncio.run(main())
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout, done.stderr) == ("sent\nsent\n", "")
    assert [message.text for message in slack.messages] == ["one", "two"]
