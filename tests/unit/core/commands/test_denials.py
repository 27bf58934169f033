from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from slack_alert.core.commands.denials import denials, explain
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import Permissions, decide
from slack_alert.core.model.asked import AccountStatus, Asker
from tests.fakes.rights import APP, DIRECT, ELSEWHERE, ENV, OPS, TERMINAL, asker, command, permissions

DEPLOY = command("deploy", APP, ENV)
ROLES = {"ops": "U1, U3", "release": "U2, dingtalk:0123"}


def said(
    given: Permissions, who: Asker, where: Conversation = OPS, env: str = "prod", allow: tuple[str, ...] = ()
) -> str:
    deploy = command("deploy", APP, ENV, allow=allow)
    return explain(decide(given, who, deploy, {"app": "shop", "env": env}, where), given.roles)


def test_what_is_allowed_needs_no_words() -> None:
    assert said(permissions({"deploy": "members"}), asker()) == ""


def test_a_line_is_named_with_who_may_and_the_line_that_would_allow_it() -> None:
    given = permissions({"deploy": "ops", "deploy env:prod": "release"}, roles=ROLES)

    assert said(given, asker("U1")) == (
        "`deploy` is for release (U2, dingtalk:0123): `deploy env:prod = release` (slack_alert.conf:2). "
        "You are in ops, members. "
        "An admin can allow it with `release = U2, dingtalk:0123, U1` in [roles]."
    )


def test_all_rules_that_refuse_are_named() -> None:
    given = permissions({"deploy": "ops", "deploy env:prod": "release"}, roles=ROLES)

    told = said(given, asker("U9"))

    assert "`deploy = ops` (slack_alert.conf:1)" in told
    assert "`deploy env:prod = release` (slack_alert.conf:2)" in told
    assert "`ops = U1, U3, U9`" in told
    assert "`release = U2, dingtalk:0123, U9`" in told


def test_rules_for_the_same_people_are_told_together() -> None:
    given = permissions({"deploy": "ops", "deploy env:prod": "ops"}, roles=ROLES)

    assert said(given, asker("U9"), allow=("ops",)) == (
        "`deploy` is for ops (U1, U3): `deploy = ops` (slack_alert.conf:1) and `deploy env:prod = ops` "
        "(slack_alert.conf:2) and `allow = ops` (plugins/app.py:3). You are in members. "
        "An admin can allow it with `ops = U1, U3, U9` in [roles]."
    )


def test_where_nothing_is_configured_that_is_the_reason() -> None:
    assert said(permissions(admins="U4"), asker("U1")) == (
        "`deploy` is for admins (U4), because nothing says who else may. You are in members. "
        "An admin can allow it with `deploy = U1` in [permissions]."
    )


def test_another_channel_is_the_reason_where_the_role_is_right() -> None:
    given = permissions({"deploy": "ops in #ops, C0009"}, roles=ROLES)

    assert said(given, asker("U1"), ELSEWHERE) == (
        "`deploy` is asked for in #ops or C0009 only: `deploy = ops in #ops, C0009` (slack_alert.conf:1). "
        "You are in ops, members."
    )


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (asker("U1", AccountStatus.BOT), "bots ask for nothing here"),
        (asker("U1", AccountStatus.DISABLED), "the account is disabled"),
        (asker("U1", AccountStatus.STRANGER), "the account belongs to another workspace"),
    ],
)
def test_who_never_may_is_told_why_and_offered_no_line(who: Asker, words: str) -> None:
    told = said(permissions({"deploy": "U1"}), who)

    assert told.startswith(f"You may not use this bot: {words}.")
    assert "can allow it" not in told


def test_a_guest_is_told_what_the_bot_is_for() -> None:
    given = permissions({"deploy": "ops"}, roles=ROLES)

    assert said(given, asker("U1", AccountStatus.GUEST)) == (
        "This bot is for members: `may_use = members`. You are in ops. "
        "An admin can allow it with `may_use = members, U1` in [chat]."
    )


def test_a_marker_is_named_with_its_place() -> None:
    told = said(permissions(roles=ROLES), asker("U2"), allow=("ops",))

    assert "`deploy` is for ops (U1, U3): `allow = ops` (plugins/app.py:3)." in told
    assert "`ops = U1, U3, U2` in [roles]" in told


def test_what_is_for_nobody_has_no_line_that_would_allow_it() -> None:
    told = said(permissions({"deploy": "nobody"}, admins="U4"), asker("U4"))

    assert told == "`deploy` is for nobody: `deploy = nobody` (slack_alert.conf:1). You are in admins, members."


def test_a_line_that_is_wrong_is_the_reason_until_it_is_corrected() -> None:
    given = permissions({"deploy": "members", "deploy evn:prod": "ops"}, roles=ROLES, admins="U4")

    assert said(given, asker("U1")) == (
        "`deploy` is for admins (U4) until `deploy evn:prod = ops` (slack_alert.conf:2) is corrected: "
        "`deploy` has no argument `evn`. Did you mean env? You are in ops, members."
    )


def test_long_roles_are_cut() -> None:
    given = permissions({"deploy": "ops"}, roles={"ops": ", ".join(f"U{number}" for number in range(10, 30))})

    assert "(U10, U11, U12, U13, U14, U15, U16, U17, 12 more)" in said(given, asker("U1"))


def test_the_terminal_is_told_of_its_own_setting() -> None:
    given = permissions({"deploy": "ops"}, roles=ROLES, cli_role="release")

    assert said(given, TERMINAL).endswith("An admin can allow it with `cli_role = release, ops` in [chat].")


LINES: list[dict[str, str]] = [
    {},
    {"deploy": "ops"},
    {"deploy": "admins"},
    {"deploy env:prod": "release"},
    {"deploy": "members, ops", "deploy env:prod": "release in #ops"},
    {"deploy env:staging": "U7", "deploy env:*": "S7, members"},
]
PEOPLE = [asker("U1"), asker("U9"), asker("U9", AccountStatus.GUEST), asker("0123", service="dingtalk"), TERMINAL]


def corrected(lines: Mapping[str, str], told: list[tuple[str, str]]) -> Permissions:
    """Return the permissions after an admin wrote all the lines that a denial names."""
    written: dict[str, dict[str, str]] = {section: {} for section in ("roles", "permissions", "chat")}
    for section, line in told:
        key, _, value = line.partition(" = ")
        written[section][key] = value
    chat = {"may_use": "members", "cli_role": "release"} | written["chat"]
    return permissions(
        {**lines, **written["permissions"]},
        roles=ROLES | written["roles"],
        admins="U4",
        may_use=chat["may_use"],
        cli_role=chat["cli_role"],
    )


@pytest.mark.parametrize("lines", LINES, ids=str)
def test_the_lines_that_a_denial_names_do_allow_it(lines: dict[str, str]) -> None:
    given = permissions(lines, roles=ROLES, admins="U4", cli_role="release")
    for who, env, where in product(PEOPLE, ("prod", "staging"), (OPS, DIRECT)):
        before = decide(given, who, DEPLOY, {"app": "shop", "env": env}, where)
        told = denials(before, given.roles)
        offered = [(each.section, each.line) for each in told if each.line]
        if before.is_allowed or len(offered) < len(told):
            continue

        better = corrected(lines, offered)
        after = decide(better, who, DEPLOY, {"app": "shop", "env": env}, where)

        assert after.is_allowed or all(refusal.is_elsewhere for refusal in after.refusals), (who, env, offered)
        other = decide(better, asker("U8"), DEPLOY, {"app": "shop", "env": env}, where)
        former = decide(given, asker("U8"), DEPLOY, {"app": "shop", "env": env}, where)
        assert other.is_allowed == former.is_allowed
