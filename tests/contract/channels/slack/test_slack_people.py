"""Who somebody is, as Slack tells: strangers and guests are told from members, and a guess is never an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from slack_alert.channels.slack.client import Client, SlackAccess
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.people import Account, SlackPeople, read_account
from slack_alert.channels.slack.inbound.translate import DirectoryChange, SlackInstallation
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_rules import Json

ANN = Identity("slack", "T0TEST", "U0ANN")
BOB = Identity("slack", "T0TEST", "U0BOB")
#: With the name that Slack tells of the account.
NAMED_ANN = Identity("slack", "T0TEST", "U0ANN", "ann")
Result = TypeVar("Result")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def using(slack: FakeSlack, act: Callable[[SlackPeople], Awaitable[Result]], **options: Any) -> Result:
    """Run something with people, and end what they have begun."""

    async def whole() -> Result:
        client = Client(SlackAccess("xoxb-test", slack.url))
        people = SlackPeople(client, **options)
        try:
            return await act(people)
        finally:
            people.close()
            await client.close()

    return asyncio.run(whole())


def asker(slack: FakeSlack, identity: Identity, **options: Any) -> Asker:
    return using(slack, lambda people: people.asker(identity), **options)


def calls(slack: FakeSlack, method: str) -> list[Json]:
    return [request.arguments for request in slack.requests if request.method == method]


@pytest.mark.parametrize(
    ("account", "standing"),
    [
        ({}, AccountStatus.MEMBER),
        ({"is_restricted": True}, AccountStatus.GUEST),
        ({"is_restricted": True, "is_ultra_restricted": True}, AccountStatus.GUEST),
        ({"is_ultra_restricted": True}, AccountStatus.GUEST),
        ({"is_invited_user": True}, AccountStatus.GUEST),
        ({"deleted": True}, AccountStatus.DISABLED),
        ({"deleted": True, "is_bot": True}, AccountStatus.DISABLED),
        ({"is_bot": True}, AccountStatus.BOT),
        ({"is_workflow_bot": True}, AccountStatus.BOT),
        ({"is_stranger": True}, AccountStatus.STRANGER),
        ({"team_id": "T0FAR"}, AccountStatus.STRANGER),
        ({"team_id": "T0FAR", "is_restricted": True}, AccountStatus.STRANGER),
        ({"team_id": "T0FAR", "enterprise_user": {"enterprise_id": "E0", "teams": ["T0TEST"]}}, AccountStatus.MEMBER),
        ({"team_id": "T0FAR", "enterprise_user": {"enterprise_id": "E0", "teams": ["T0FAR"]}}, AccountStatus.STRANGER),
        ({"team_id": None}, AccountStatus.UNKNOWN),
        ({"team_id": 5}, AccountStatus.UNKNOWN),
        ({"id": "U0BOB"}, AccountStatus.UNKNOWN),
        ({"enterprise_user": "E0"}, AccountStatus.UNKNOWN),
        ({"enterprise_user": {"teams": [5]}}, AccountStatus.UNKNOWN),
    ],
)
def test_an_account_has_the_standing_that_slack_tells(slack: FakeSlack, account: Json, standing: AccountStatus) -> None:
    slack.workspace.accounts = {"U0ANN": account}

    assert asker(slack, ANN) == Asker(ANN if standing is AccountStatus.UNKNOWN else NAMED_ANN, standing)


@pytest.mark.parametrize("hidden", [True, False])
def test_an_account_that_slack_does_not_show_is_of_a_stranger(slack: FakeSlack, *, hidden: bool) -> None:
    far = Identity("slack", "T0FAR", "U0FAR")
    slack.workspace.hidden = ["U0FAR"] if hidden else []

    assert asker(slack, far).standing is AccountStatus.STRANGER


def test_a_member_whom_a_payload_gives_another_team_is_a_stranger(slack: FakeSlack) -> None:
    assert asker(slack, Identity("slack", "T0FAR", "U0ANN")).standing is AccountStatus.STRANGER
    assert asker(slack, Identity("slack", "", "U0ANN")).standing is AccountStatus.STRANGER


def test_slackbot_is_a_bot() -> None:
    account = read_account({"id": "USLACKBOT", "team_id": "T0TEST", "is_bot": False}, "USLACKBOT")

    assert account.is_bot


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"profile": {"display_name": "ann"}, "real_name": "Ann Lee", "name": "alee"}, "ann"),
        ({"profile": {"display_name": ""}, "real_name": "Ann Lee", "name": "alee"}, "Ann Lee"),
        ({"real_name": "Ann Lee", "name": "alee"}, "Ann Lee"),
        ({"name": "alee"}, "alee"),
        ({}, ""),
    ],
)
def test_an_account_has_the_name_that_others_see(names: Json, name: str) -> None:
    assert read_account({"id": "U0ANN", "team_id": "T0TEST", **names}, "U0ANN").name == name


WIDE = SlackInstallation("T0TEST", "U0BOT", "E0", is_organization_wide=True)
ALONE = SlackInstallation("T0TEST", "U0BOT", "E0")


@pytest.mark.parametrize(
    ("installation", "account", "team", "standing"),
    [
        (WIDE, Account("T0FAR", enterprise="E0"), "T0FAR", AccountStatus.MEMBER),
        (WIDE, Account("T0FAR", enterprise="E0"), "E0", AccountStatus.MEMBER),
        (WIDE, Account("T0FAR", enterprise="E1"), "T0FAR", AccountStatus.STRANGER),
        (WIDE, Account("T0TEST"), "T0TEST", AccountStatus.STRANGER),
        (ALONE, Account("T0FAR", enterprise="E0"), "T0FAR", AccountStatus.STRANGER),
        (ALONE, Account("T0FAR", teams=frozenset({"T0TEST"}), enterprise="E0"), "T0FAR", AccountStatus.MEMBER),
        (SlackInstallation("T0TEST", "U0BOT"), Account("T0FAR"), "T0FAR", AccountStatus.STRANGER),
        # Where nothing is known of an organization, nobody belongs to it.
        (
            SlackInstallation("T0TEST", "U0BOT", "", is_organization_wide=True),
            Account("T0FAR"),
            "",
            AccountStatus.STRANGER,
        ),
    ],
)
def test_members_of_an_organization_belong_where_the_app_is_installed(
    installation: SlackInstallation, account: Account, team: str, standing: AccountStatus
) -> None:
    assert account.standing(Identity("slack", team, "U0ANN"), installation) is standing


def test_the_installation_is_asked_for_once(slack: FakeSlack) -> None:
    slack.workspace.enterprise = "E0"

    async def twice(people: SlackPeople) -> list[SlackInstallation]:
        return list(await asyncio.gather(people.installation(), people.installation()))

    assert using(slack, twice) == [SlackInstallation("T0TEST", "U0BOT", "E0")] * 2
    assert len(calls(slack, "auth.test")) == 1


def test_groups_are_asked_for_by_the_roles_alone(slack: FakeSlack) -> None:
    slack.workspace.groups = {"S0OPS": ["U0ANN"], "S0DEV": ["U0BOB"], "S0ALL": ["U0ANN", "U0BOB"]}

    assert asker(slack, ANN, groups=["S0OPS", "S0DEV"]) == Asker(NAMED_ANN, AccountStatus.MEMBER, frozenset({"S0OPS"}))
    assert sorted(each["usergroup"] for each in calls(slack, "usergroups.users.list")) == ["S0DEV", "S0OPS"]


def test_a_group_that_does_not_exist_has_no_members(slack: FakeSlack) -> None:
    assert asker(slack, ANN, groups=["S0NONE"]) == Asker(NAMED_ANN, AccountStatus.MEMBER)


def test_groups_are_unknown_where_the_plan_has_none(slack: FakeSlack) -> None:
    slack.workspace.groups = None

    async def twice(people: SlackPeople) -> list[Asker]:
        return [await people.asker(ANN), await people.asker(BOB)]

    first, second = using(slack, twice, groups=["S0OPS"])
    assert first == Asker(NAMED_ANN, AccountStatus.MEMBER, unknown_groups=frozenset({"S0OPS"}))
    assert second.unknown_groups == {"S0OPS"}
    assert len(calls(slack, "usergroups.users.list")) == 1


@pytest.mark.parametrize("kind", ["rate_limited", "html", "empty", "reset_before", "truncated"])
def test_whom_slack_does_not_tell_of_is_unknown(slack: FakeSlack, kind: Any) -> None:
    slack.fault(kind, method="users.info")
    slack.fault(kind, method="usergroups.users.list")

    assert asker(slack, ANN, groups=["S0OPS"]) == Asker(ANN, AccountStatus.UNKNOWN)


def test_a_group_is_unknown_while_its_members_are_not_told(slack: FakeSlack) -> None:
    slack.fault("html", method="usergroups.users.list")

    assert asker(slack, ANN, groups=["S0OPS"]).unknown_groups == {"S0OPS"}


@pytest.mark.slow
def test_an_answer_that_is_late_is_none_and_is_there_for_the_next(slack: FakeSlack) -> None:
    slack.fault("slow", method="users.info", delay=0.3, times=1)

    async def twice(people: SlackPeople) -> list[AccountStatus]:
        first = await people.asker(ANN)
        while (second := await people.asker(ANN)).standing is not AccountStatus.MEMBER:
            assert second.standing is AccountStatus.UNKNOWN
        return [first.standing, second.standing]

    assert using(slack, twice, answer_within=0.1) == [AccountStatus.UNKNOWN, AccountStatus.MEMBER]
    assert len(calls(slack, "users.info")) == 1


def test_after_a_rate_limit_nothing_is_asked_until_it_is_over(slack: FakeSlack) -> None:
    slack.fault("rate_limited", method="users.info", retry_after=60, times=1)

    async def ask(people: SlackPeople) -> list[AccountStatus]:
        return [(await people.asker(each)).standing for each in (ANN, BOB, ANN)]

    assert using(slack, ask) == [AccountStatus.UNKNOWN] * 3
    assert len(calls(slack, "users.info")) == 1


def test_answers_are_remembered_and_asked_for_once(slack: FakeSlack) -> None:
    async def ask(people: SlackPeople) -> list[Asker]:
        at_once = await asyncio.gather(*(people.asker(ANN) for _ in range(5)))
        return [*at_once, await people.asker(ANN)]

    assert len(set(using(slack, ask, groups=["S0OPS"]))) == 1
    assert [len(calls(slack, each)) for each in ("users.info", "usergroups.users.list")] == [1, 1]


def test_answers_are_old_after_a_time(slack: FakeSlack) -> None:
    async def ask(people: SlackPeople) -> list[AccountStatus]:
        first = await people.asker(ANN)
        slack.workspace.accounts = {"U0ANN": {"deleted": True}}
        loop = asyncio.get_running_loop()
        at = loop.time()
        loop.time = lambda: at + 301  # type: ignore[method-assign]
        return [first.standing, (await people.asker(ANN)).standing]

    assert using(slack, ask) == [AccountStatus.MEMBER, AccountStatus.DISABLED]


def test_who_was_asked_for_is_known_until_the_answer_is_old_or_something_has_changed(slack: FakeSlack) -> None:
    async def ask(people: SlackPeople) -> list[Asker | None]:
        known = [people.known(ANN), await people.asker(ANN), people.known(ANN)]
        for change in (DirectoryChange(group="S0OPS"), DirectoryChange(user="U0ANN")):
            people.forget(change)
            known += [people.known(ANN)]
            await people.asker(ANN)
        loop = asyncio.get_running_loop()
        at = loop.time()
        loop.time = lambda: at + 301  # type: ignore[method-assign]
        return [*known, people.known(ANN)]

    ann = Asker(NAMED_ANN, AccountStatus.MEMBER, frozenset({"S0OPS"}))
    assert using(slack, ask, groups=["S0OPS"]) == [None, ann, ann, None, None, None]


def test_what_has_changed_is_asked_for_anew(slack: FakeSlack) -> None:
    async def ask(people: SlackPeople) -> list[Asker]:
        asked = [await people.asker(ANN)]
        slack.workspace.accounts = {"U0ANN": {"is_restricted": True}}
        slack.workspace.groups = {"S0OPS": []}
        people.forget(DirectoryChange(user="U0ANN"))
        asked.append(await people.asker(ANN))
        people.forget(DirectoryChange(group="S0OPS"))
        return [*asked, await people.asker(ANN)]

    assert using(slack, ask, groups=["S0OPS"]) == [
        Asker(NAMED_ANN, AccountStatus.MEMBER, frozenset({"S0OPS"})),
        Asker(NAMED_ANN, AccountStatus.GUEST, frozenset({"S0OPS"})),
        Asker(NAMED_ANN, AccountStatus.GUEST),
    ]


@pytest.mark.slow
def test_what_changes_while_it_is_asked_for_is_asked_for_anew(slack: FakeSlack) -> None:
    slack.fault("slow", method="users.info", delay=0.2, times=1)

    async def ask(people: SlackPeople) -> AccountStatus:
        asking = asyncio.ensure_future(people.asker(ANN))
        await asyncio.to_thread(_wait_for_call, slack)
        slack.workspace.accounts = {"U0ANN": {"deleted": True}}
        people.forget(DirectoryChange(user="U0ANN"))
        return (await asking).standing

    assert using(slack, ask) is AccountStatus.DISABLED


def _wait_for_call(slack: FakeSlack) -> None:
    site = slack._site
    with site.changed:
        assert site.changed.wait_for(lambda: calls(slack, "users.info"), timeout=5)


def test_people_of_other_services_are_not_asked_for(slack: FakeSlack) -> None:
    assert asker(slack, Identity("dingtalk", "", "0123")).standing is AccountStatus.UNKNOWN
    assert slack.requests == []


def test_a_token_that_is_refused_makes_everybody_unknown_and_is_told_once(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    slack.fault("error", code="invalid_auth")

    async def ask(people: SlackPeople) -> list[AccountStatus]:
        with pytest.raises(RefusedError):
            await people.installation()
        return [(await people.asker(each)).standing for each in (ANN, BOB)]

    assert using(slack, ask) == [AccountStatus.UNKNOWN] * 2
    assert [record.message for record in caplog.records] == ["who asks is unknown"]
