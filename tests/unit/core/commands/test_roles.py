from __future__ import annotations

import pytest

from slack_alert.core.commands.roles import (
    Member,
    MemberKind,
    circle,
    is_same_person,
    named_people,
    parse_account,
    parse_member,
    parse_members,
    person_of,
    roles_of,
)
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AccountStatus, Identity
from tests.fakes.rights import TERMINAL, asker, permissions

PERSON, GROUP, ROLE = MemberKind.PERSON, MemberKind.GROUP, MemberKind.ROLE


@pytest.mark.parametrize(
    ("word", "kind", "found"),
    [
        ("U123", PERSON, "slack:U123"),
        ("W0A1B2C3D", PERSON, "slack:W0A1B2C3D"),
        ("UABCDEFGHI", PERSON, "slack:UABCDEFGHI"),
        ("slack:U123", PERSON, "slack:U123"),
        ("dingtalk:0123", PERSON, "dingtalk:0123"),
        ("github:ann-w", PERSON, "github:ann-w"),
        ("S789", GROUP, "S789"),
        ("ops", ROLE, "ops"),
        ("UK", ROLE, "UK"),
        ("SRE", ROLE, "SRE"),
        ("on-call.eu", ROLE, "on-call.eu"),
        ("betrieb\u00e9", ROLE, "betrieb\u00e9"),
    ],
)
def test_a_member_is_an_id_or_a_role(word: str, kind: MemberKind, found: str) -> None:
    assert parse_member(word) == Member(kind, found)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("@ann", "is a name, which people change"),
        ("<@U123>", "is a mention"),
        ("<!subteam^S789|@ops>", "is a mention"),
        ("cli:ann", "have roles of their own"),
        ("web:token", "have roles of their own"),
        ("dingtlk:0123", "there is no service 'dingtlk'"),
        ("slack:ann", "names no account"),
        ("github:", "names no account"),
        ("slack:T1/U1", "names no account"),
        ("in", "is neither an id nor a role"),
        ("#ops", "is neither an id nor a role"),
        ("12", "is neither an id nor a role"),
        ("a=b", "is neither an id nor a role"),
    ],
)
def test_what_is_neither_is_told(word: str, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        parse_member(word)


def test_members_are_separated_by_commas_or_spaces_and_named_once() -> None:
    assert [member.shown for member in parse_members("U1, ops,S7  U1")] == ["U1", "ops", "S7"]


@pytest.mark.parametrize("text", ["", " , "])
def test_no_member_is_told(text: str) -> None:
    with pytest.raises(BadValue, match="nobody is named"):
        parse_members(text)


def test_an_account_is_that_of_a_person() -> None:
    assert parse_account("U1") == "slack:U1"
    with pytest.raises(BadValue, match="is not the account of a person"):
        parse_account("ops")


class TestRolesOf:
    GIVEN = permissions(roles={"ops": "U1, S7", "all": "ops, dingtalk:0123"}, admins="U4", cli_role="ops").roles

    def test_they_are_all_that_somebody_is_known_to_have(self) -> None:
        assert roles_of(self.GIVEN, asker("U1")) == ("ops", "all", "members")
        assert roles_of(self.GIVEN, asker("U2", groups=["S7"])) == ("ops", "all", "members")
        assert roles_of(self.GIVEN, asker("U2", unknown=["S7"])) == ("members",)
        assert roles_of(self.GIVEN, asker("U4")) == ("admins", "members")
        assert roles_of(self.GIVEN, asker("0123", service="dingtalk")) == ("all", "members")
        assert roles_of(self.GIVEN, TERMINAL) == ("ops", "all")

    @pytest.mark.parametrize(
        "standing", [AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER, AccountStatus.UNKNOWN]
    )
    def test_they_are_none_for_who_is_nobody_here(self, standing: AccountStatus) -> None:
        assert roles_of(self.GIVEN, asker("U1", standing)) == ()
        assert roles_of(self.GIVEN, asker("U4", standing)) == ()


class TestPeople:
    GIVEN = permissions(people=[("slack:U1", "github:ann", "dingtalk:0123")], teams={"slack": "T1"}).roles

    def test_joined_accounts_are_one_person(self) -> None:
        ann, there = Identity("slack", "T1", "U1", "ann"), Identity("dingtalk", "", "0123", "An")

        assert is_same_person(self.GIVEN, ann, there)
        assert person_of(self.GIVEN, ann) == person_of(self.GIVEN, there) == "slack:U1"

    @pytest.mark.parametrize(
        "other",
        [
            Identity("slack", "T1", "U2", "ann"),
            Identity("slack", "T2", "U1", "ann"),
            Identity("dingtalk", "", "U1"),
            Identity("cli", "", "U1"),
            Identity("web", "", "0123"),
        ],
    )
    def test_nobody_else_is(self, other: Identity) -> None:
        assert not is_same_person(self.GIVEN, Identity("slack", "T1", "U1", "ann"), other)


def test_people_of_roles_are_those_in_all_roles_within() -> None:
    given = permissions(roles={"ops": "U1, S7", "all": "ops, members, U2, U1"}, admins="all").roles

    assert [each.shown for each in named_people(given, parse_members("admins"))] == ["U1", "S7", "members", "U2"]


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        ({"a": "a"}, ("a", "a")),
        ({"a": "b", "b": "c", "c": "a"}, ("a", "b", "c", "a")),
        ({"a": "b, c", "b": "U1", "c": "b"}, ()),
        ({"a": "b", "b": "c", "c": "b"}, ()),
    ],
)
def test_a_role_within_itself_is_found(roles: dict[str, str], found: tuple[str, ...]) -> None:
    assert circle(permissions(roles=roles).roles.named, "a") == found
