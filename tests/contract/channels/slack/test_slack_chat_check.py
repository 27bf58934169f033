"""Slack as a channel: the findings for `doctor` about people who give commands."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

import pytest

from slack_alert.channels.slack import SlackFinding
from slack_alert.channels.slack.chat_diagnostics import ChatNeeds, check_app_token
from slack_alert.channels.slack.client import Client, SlackAccess
from slack_alert.channels.slack.manifest import CHAT_SCOPES
from tests.contract.slack_rig import using
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES

SCOPES = ALL_SCOPES | set(CHAT_SCOPES)


def findings(slack: FakeSlack, needs: ChatNeeds | None = None) -> dict[str, SlackFinding]:
    now = datetime.now(timezone.utc)
    found = using(slack, lambda channel: channel.check((), now=now, chat=needs or ChatNeeds()))
    return {each.what: each for each in found}


def test_a_complete_app_is_told_where_it_hears_people() -> None:
    with FakeSlack(scopes=SCOPES) as slack:
        found = findings(slack, ChatNeeds(("U0ANN",), ("S0OPS",)))

    assert {each.level for each in found.values()} == {"ok"}
    assert "channels: the app hears people in #ops, #test, #errors, #team" in found


@pytest.mark.parametrize("scope", sorted(CHAT_SCOPES))
def test_each_missing_scope_is_told_with_what_it_costs(scope: str) -> None:
    with FakeSlack(scopes=SCOPES - {scope}) as slack:
        found = findings(slack, ChatNeeds(groups=("S0OPS",)))

    finding = found[f"scope {scope} is missing: {CHAT_SCOPES[scope]}"]
    assert finding.level == ("error" if scope == "users:read" else "warning")
    assert "OAuth & Permissions" in finding.action


def test_user_groups_are_missed_only_by_who_names_one() -> None:
    with FakeSlack(scopes=SCOPES - {"usergroups:read"}) as slack:
        assert not any("usergroups" in what for what in findings(slack))


def test_an_app_in_no_channel_is_told_to_be_invited() -> None:
    with FakeSlack(scopes=SCOPES) as slack:
        slack.workspace.absent = tuple(slack.workspace.channels)
        found = findings(slack)

    finding = found["channels: the app is in none, so it hears direct messages only"]
    assert "/invite @slack-alert" in finding.action


@pytest.mark.parametrize(
    ("needs", "what"),
    [
        (ChatNeeds(people=("U0GONE",)), "roles: Slack knows nobody with the id U0GONE"),
        (ChatNeeds(people=("U0BOB",)), "roles: the account U0BOB (bob) is disabled"),
        (ChatNeeds(groups=("S0GONE",)), "roles: Slack knows no user group with the id S0GONE"),
    ],
)
def test_an_id_that_lets_nobody_in_is_told(needs: ChatNeeds, what: str) -> None:
    with FakeSlack(scopes=SCOPES, accounts={"U0BOB": {"deleted": True}}) as slack:
        assert findings(slack, needs)[what].action


def test_user_groups_without_a_plan_for_them_are_told() -> None:
    with FakeSlack(scopes=SCOPES) as slack:
        slack.workspace.groups = None
        found = findings(slack, ChatNeeds(groups=("S0OPS",)))

    assert found["roles: S0OPS lets nobody in: the workspace has no user groups"].level == "error"


@pytest.mark.parametrize(
    ("token", "scopes", "level", "what"),
    [
        ("xapp-1-A0ALERT-test", ("connections:write",), "ok", "app_token: Socket Mode is open"),
        ("xapp-wrong", ("connections:write",), "error", "app_token: Slack says invalid_auth"),
        ("xapp-1-A0ALERT-test", (), "error", "app_token: Slack says missing_scope"),
    ],
)
def test_the_app_token_is_tried(token: str, scopes: tuple[str, ...], level: str, what: str) -> None:
    async def asked(url: str) -> SlackFinding:
        client = Client(SlackAccess(token, url))
        try:
            return await check_app_token(client)
        finally:
            await client.close()

    with FakeSlack() as slack:
        slack.workspace.app_scopes = scopes
        finding = asyncio.run(asked(slack.url))

    assert (finding.level, finding.what) == (level, what)
    assert bool(finding.action) == (level != "ok")
