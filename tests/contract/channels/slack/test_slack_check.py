"""Slack as a channel: the findings for `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.channels.slack import SlackFinding
from tests.contract.slack_rig import TOKEN, using
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


class TestCheck:
    def findings(self, slack: FakeSlack, *conversations: str, behind: timedelta = timedelta()) -> list[SlackFinding]:
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
