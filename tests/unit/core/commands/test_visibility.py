"""Where texts of runs and alerts are shown."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from slack_alert.core.commands.visibility import Viewer, concealed, may_see
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Outcome, Record, Verdict

T = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)


def viewer(conversation: str, name: str = "", *, channel: str = "slack", is_admin: bool = False) -> Viewer:
    return Viewer.of(Address(channel, conversation), name, is_admin=is_admin)


@pytest.mark.parametrize(
    ("who", "homes", "expected"),
    [
        # Its own conversation, by its name, its id, or among several.
        (viewer("C1", "ops"), "#ops", True),
        (viewer("C1", "ops"), "C1", True),
        (viewer("C1"), "C1", True),
        (viewer("#ops"), "#ops", True),
        (viewer("C1", "ops"), "#dev, #ops", True),
        (viewer("D1"), "D1", True),
        # Another one, whoever asks there.
        (viewer("C2", "dev"), "#ops", False),
        (viewer("C2", "dev", is_admin=True), "#ops", False),
        (viewer("C2", "ops-dev"), "#ops", False),
        (viewer("C1"), "#ops", False),
        (viewer("C1", "ops"), "", False),
        (viewer(""), "", False),
        # A direct message.
        (viewer("D1"), "#ops", False),
        (viewer("D1", is_admin=True), "#ops", True),
        (viewer("D1", is_admin=True), "D2", True),
        # The terminal of this machine, whose texts are for nobody else.
        (viewer("x1", channel="terminal"), "#ops", True),
        (viewer("x1", channel="terminal"), "", True),
        (viewer("C1", "ops"), "terminal", False),
        # A conversation of another service with the same name.
        (viewer("C1", "ops", channel="dingtalk"), "#ops", False),
        (viewer("cid", channel="dingtalk"), "dingtalk:cid", True),
        (viewer("D1", channel="dingtalk", is_admin=True), "#ops", False),
    ],
)
def test_texts_are_shown_in_their_own_conversation_and_to_admins_alone(who: Viewer, homes: str, expected: bool) -> None:
    assert may_see(who, homes) is expected


def test_what_is_concealed_says_where_it_is_shown_and_keeps_the_verdict() -> None:
    outcome = Outcome("secret", Verdict.ERROR, "ValueError", "secret")
    record = Record(7, "disk", T, Verdict.ERROR, text="secret", error="secret", printed="secret", outcome=outcome)

    shown = concealed(record, "#ops")

    assert "secret" not in str(shown)
    assert (shown.run, shown.verdict, shown.text) == (7, Verdict.ERROR, "(shown in #ops only)")


def test_a_record_without_texts_stays_as_it_is() -> None:
    record = Record(7, "disk", T, Verdict.QUIET)

    assert concealed(record, "#ops") == record
