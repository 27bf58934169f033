"""Slack as a channel: the outcome of a message when Slack refuses it, breaks off or is unavailable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.errors import BadValue
from slack_alert.core.retry import SendResult, SendStatus
from tests.contract.slack_rig import TOKEN, calls, delivery, sent
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Kind
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


async def answered(kind: str, body: bytes) -> SendResult:
    """Return the outcome of a message sent to a server that always gives the same answer."""

    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(asked.partition("content-length:")[2].split()[0]))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()
        await writer.wait_closed()
        answered.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        channel = SlackChannel(TOKEN, api_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/")
        outcome = await channel.send(delivery("x"), None)
        await channel.close()
        await answered.wait()
    return outcome


class TestOutcomes:
    @pytest.mark.parametrize(
        ("kind", "fate", "accepted"),
        [
            ("rate_limited", SendStatus.WAIT, 0),
            ("html", SendStatus.AMBIGUOUS, 0),
            ("truncated", SendStatus.AMBIGUOUS, 1),
            ("empty", SendStatus.AMBIGUOUS, 1),
            ("cut", SendStatus.AMBIGUOUS, 1),
            ("reset_before", SendStatus.AMBIGUOUS, 0),
            ("reset_after", SendStatus.AMBIGUOUS, 1),
        ],
    )
    def test_a_fault_becomes_an_outcome(self, slack: FakeSlack, kind: Kind, fate: SendStatus, accepted: int) -> None:
        slack.fault(kind, retry_after=7)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.status is fate
        assert len(slack.messages) == accepted
        assert len(calls(slack, "chat.postMessage")) == 1
        if fate is SendStatus.WAIT:
            assert outcome.after == timedelta(seconds=7)

    @pytest.mark.parametrize(
        ("status", "body", "fate"),
        [
            (403, "<html>blocked</html>", SendStatus.RETRY),
            (502, "<html>bad gateway</html>", SendStatus.AMBIGUOUS),
            (200, "<html>log in to the wireless network</html>", SendStatus.AMBIGUOUS),
            (200, "", SendStatus.AMBIGUOUS),
        ],
    )
    def test_a_page_in_place_of_an_answer(self, slack: FakeSlack, status: int, body: str, fate: SendStatus) -> None:
        slack.fault("status", status=status, body=body)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.status is fate

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("text/plain", b"ok", (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/gzip", b"x", (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"[1]", (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"null", (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b"\xff\xfe{", (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": false}', (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": false, "error": {"a": 1}}', (SendStatus.AMBIGUOUS, "unreadable answer")),
            ("application/json", b'{"ok": true}', (SendStatus.SENT, "")),
        ],
    )
    def test_no_answer_makes_it_raise(self, kind: str, body: bytes, expected: tuple[SendStatus, str]) -> None:
        outcome = asyncio.run(answered(kind, body))

        assert (outcome.status, outcome.reason) == expected

    def test_a_slack_that_is_away_was_surely_not_reached(self, slack: FakeSlack) -> None:
        slack.stop_listening()

        (outcome,) = sent(slack, delivery("x"))

        assert (outcome.status, outcome.reason) == (SendStatus.RETRY, "ConnectionRefusedError")
        assert "127.0.0.1" in outcome.hint

    def test_a_failed_tls_handshake_is_surely_not_sent(self, slack: FakeSlack) -> None:
        (outcome,) = sent(slack, delivery("x"), api_url=slack.url.replace("http:", "https:"))

        assert outcome.status is SendStatus.RETRY

    @pytest.mark.slow
    def test_an_answer_that_does_not_come_leaves_it_open(self, slack: FakeSlack) -> None:
        slack.fault("slow", delay=1.0)

        (outcome,) = sent(slack, delivery("x"), timeout=timedelta(seconds=0.3))

        assert outcome.status is SendStatus.AMBIGUOUS
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

        assert (outcome.status, outcome.reason) == (SendStatus.DESTINATION, reason)
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

        assert (outcome.status, outcome.reason) == (SendStatus.CREDENTIALS, "invalid_auth")
        assert "doctor" in outcome.hint
        assert secret not in f"{outcome} {caplog.text} {SlackChannel(secret)!r}"

    def test_a_proxy_that_is_away_was_surely_not_reached_and_its_password_is_not_shown(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            (outcome,) = sent(slack, delivery("x"), proxy="http://ann:secret@127.0.0.1:9")

        assert (outcome.status, outcome.reason) == (SendStatus.RETRY, "ClientProxyConnectionError")
        assert "secret" not in f"{outcome} {caplog.text}"

    @pytest.mark.parametrize(
        ("variable", "value", "said"),
        [
            ("http_proxy", "socks5://ann:secret@127.0.0.1:9", "http_proxy names a SOCKS proxy (socks5://)"),
            ("HTTP_PROXY", "127.0.0.1:secret", "HTTP_PROXY is not the address of a proxy"),
            ("http_proxy", "127.0.0.1:9", "cannot connect to 127.0.0.1 through the proxy that http_proxy names"),
            ("ALL_PROXY", "http://ann:secret@127.0.0.1:9", "through the proxy that ALL_PROXY names"),
        ],
    )
    def test_a_proxy_of_the_environment_that_is_of_no_use_is_named_and_was_surely_not_reached(
        self,
        slack: FakeSlack,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        value: str,
        said: str,
    ) -> None:
        for name in ("http_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv(variable, value)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.status is SendStatus.RETRY
        assert said in outcome.hint
        assert "secret" not in f"{outcome} {caplog.text}"

    def test_a_proxy_for_everything_that_is_of_no_use_is_done_without(
        self, slack: FakeSlack, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.status is SendStatus.SENT
        assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
            "Slack is reached without a proxy"
        ]

    @pytest.mark.parametrize(("no_proxy", "fate"), [("127.0.0.1", SendStatus.SENT), ("example.com", SendStatus.RETRY)])
    def test_the_proxy_of_the_environment_is_taken_but_for_hosts_it_excepts(
        self, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, no_proxy: str, fate: SendStatus
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, no_proxy)

        (outcome,) = sent(slack, delivery("x"))

        assert outcome.status is fate

    def test_an_unusable_ca_file_is_told_at_the_start(self, slack: FakeSlack, tmp_path: Path) -> None:
        with pytest.raises(BadValue, match="ca_file"):
            sent(slack, delivery("x"), ca_file=tmp_path / "none.pem")
