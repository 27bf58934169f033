"""Which entries are posted, and how they read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.commands.audit_notices import AuditNotices, entry_notice, head_notice, shown_head
from slack_alert.core.model.address import Address
from slack_alert.core.model.audit import AuditEntry, AuditHead, AuditVerdict
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from slack_alert.operations.audit import parse_head
from tests.fakes.audit import ENTRY
from tests.fakes.engine_rig import MARK

BERLIN = ZoneInfo("Europe/Berlin")
AUDIT = Address("slack", "#audit")


def notices(*sensitive: str, hours: str = "always") -> AuditNotices:
    return AuditNotices(AUDIT, sensitive, WorkingHours(hours, BERLIN), BERLIN)


def told(entry: AuditEntry, rules: AuditNotices, redaction: Redaction | None = None) -> str | None:
    notice = entry_notice(entry, rules, MARK, redaction or Redaction())
    return None if notice is None else notice.text


@pytest.mark.parametrize(
    ("command", "sensitive", "is_posted"),
    [
        ("deploy shop prod", ("deploy",), True),
        ("deploy shop prod", ("deploy shop",), True),
        ("deploy shop prod", ("deploy web", "deploy shop prod"), True),
        ("Deploy shop", ("deploy",), True),
        ("deploy shop", ("DEPLOY  Shop",), True),
        ("deploy", ("deploy",), True),
        ("deployment", ("deploy",), False),
        ("undeploy", ("deploy",), False),
        ("deploy shop", ("shop",), False),
        ("deploy", ("deploy shop",), False),
        ("deploy", (), False),
        ("deploy", ("", " "), False),
        ("", ("deploy",), False),
    ],
)
def test_sensitive_commands_begin_with_its_words(command: str, sensitive: tuple[str, ...], is_posted: bool) -> None:
    assert (told(replace(ENTRY, command=command), notices(*sensitive)) is not None) is is_posted


@pytest.mark.parametrize(
    ("sensitive", "is_posted"),
    [("deploy", True), ("deploy shop", True), ("run", True), ("run ops.deploy", True), ("deploy blog", False)],
)
def test_a_sensitive_command_that_is_run_as_a_job_is_posted(sensitive: str, is_posted: bool) -> None:
    entry = replace(ENTRY, command="run ops.deploy shop prod")

    assert (notices(sensitive).why(entry, "deploy") == "sensitive") is is_posted


@pytest.mark.parametrize(
    ("local", "why"),
    [
        (datetime(2026, 11, 20, 9, 0, tzinfo=BERLIN), ""),
        (datetime(2026, 11, 20, 17, 59, 59, tzinfo=BERLIN), ""),
        (datetime(2026, 11, 20, 18, 0, tzinfo=BERLIN), "outside office hours"),
        (datetime(2026, 11, 20, 8, 59, 59, tzinfo=BERLIN), "outside office hours"),
        (datetime(2026, 11, 21, 12, 0, tzinfo=BERLIN), "outside office hours"),
    ],
)
def test_every_entry_outside_of_office_hours_is_posted(local: datetime, why: str) -> None:
    at = local.astimezone(timezone.utc)

    assert notices(hours="mon-fri 9:00-18:00").why(replace(ENTRY, at=at)) == why


@pytest.mark.parametrize("verdict", AuditVerdict)
def test_what_became_of_it_does_not_matter(verdict: AuditVerdict) -> None:
    posted = told(replace(ENTRY, verdict=verdict), notices("deploy"))

    assert posted is not None
    assert f"\n{verdict} " in posted.replace(",", " ")


def test_it_says_who_what_where_when_and_why() -> None:
    assert told(ENTRY, notices("deploy", hours="mon-fri 9:00-18:00")) == (
        ":ledger: ann asked in #ops: `deploy shop prod`\n"
        "ran in 1 min 12 s (run 412) · Sat 21 Nov 10:30:00 · sensitive, outside office hours"
    )


def test_what_an_entry_does_not_have_is_not_said() -> None:
    bare = replace(
        ENTRY, name="", channel="", run=None, duration=None, verdict=AuditVerdict.DENIED, reason="deploy = ops: ask bob"
    )

    assert told(bare, notices("deploy")) == (
        ":no_entry: slack:T1/U1 asked: `deploy shop prod`\n"
        "denied, deploy = ops: ask bob · Sat 21 Nov 10:30:00 · sensitive"
    )


@pytest.mark.parametrize("field", ["name", "command", "reason", "channel"])
@pytest.mark.parametrize(
    "text", ["<!channel>", "<@U1>", "<https://evil|click>", "*bold*", "`code`", "```", "a\n\nb", "&lt;!here&gt;"]
)
def test_what_people_wrote_formats_and_mentions_nothing(field: str, text: str) -> None:
    posted = told(replace(ENTRY, **{field: f"deploy {text}"}), notices("deploy", hours="mon 3:00-3:01"))

    assert posted is not None
    assert len(posted.splitlines()) == 2
    assert posted.count("`") == 2
    assert not [part for part in ("<!", "<@", "<http", "*bold*") if part in posted]


def test_a_long_command_is_cut_after_secrets_are_taken_out() -> None:
    posted = told(
        replace(ENTRY, command=f"deploy {'x' * 490} hunter2 {'y' * 500}"), notices("deploy"), Redaction(["hunter2"])
    )

    assert posted is not None
    assert "hunt" not in posted
    assert len(posted) < 700


def test_the_head_is_posted_with_the_command_that_verifies_it() -> None:
    head = AuditHead(1234, "9f86d081884c7d65" + "0" * 48, ENTRY.at)

    assert head_notice(head, BERLIN).text == (
        ":ledger: Audit: 1,234 entries, the last one of Sat 21 Nov 10:30:00.\n"
        "`slack-alert audit --verify --head 1234:9f86d081884c7d65`"
    )
    assert parse_head(shown_head(head)) == AuditHead(1234, "9f86d081884c7d65")


def test_a_head_without_a_time_is_one_of_a_chain_that_was_pruned() -> None:
    assert "1 entry.\n" in head_notice(AuditHead(1, "ab" * 32), BERLIN).text


def test_a_duration_of_nothing_is_said() -> None:
    posted = told(replace(ENTRY, duration=timedelta()), notices("deploy"))

    assert posted is not None
    assert "ran in 0 ms" in posted
