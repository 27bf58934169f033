"""Slack as a channel: files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.content.pieces import Upload
from slack_alert.core.retry import SendResult, SendStatus
from tests.contract.slack_rig import TOKEN, delivery, sent
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Kind
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


class TestUploads:
    @pytest.mark.parametrize(("to", "channel"), [("#ops", "C0OPS"), ("C0TEST", "C0TEST"), ("#team", "G0TEAM")])
    def test_a_file_is_shared_with_its_comment(self, slack: FakeSlack, to: str, channel: str) -> None:
        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc", title="A", comment="for <@ann>"), to=to))

        (upload,) = slack.uploads
        (message,) = slack.messages
        assert outcome == SendResult(SendStatus.SENT, f"{channel}/{upload.id}")
        assert (upload.filename, upload.title, upload.content) == ("a.txt", "A", b"abc")
        assert (message.channel, message.text, message.files) == (channel, "for <@U0ANN>", ("a.txt",))

    def test_public_channels_are_found_without_the_scope_for_private_ones(self) -> None:
        with FakeSlack(scopes=ALL_SCOPES - {"groups:read"}) as slack:
            (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc")))

        assert outcome.status is SendStatus.SENT
        assert [message.files for message in slack.messages] == [("a.txt",)]

    @pytest.mark.parametrize("to", ["@ann", "U0ANN"])
    def test_a_file_to_a_person_opens_the_conversation(self, slack: FakeSlack, to: str) -> None:
        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc"), to=to))

        (message,) = slack.messages
        assert outcome.status is SendStatus.SENT
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
        assert outcome.status is SendStatus.SENT
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

        assert outcome.status is SendStatus.RETRY
        assert slack.messages == []

    def test_the_last_step_may_have_been_taken(self, slack: FakeSlack) -> None:
        slack.fault("reset_after", method="files.completeUploadExternal")

        (outcome,) = sent(slack, delivery(Upload("a.txt", b"abc")))

        assert outcome.status is SendStatus.AMBIGUOUS
