from __future__ import annotations

from collections.abc import Mapping

import pytest

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import (
    Arguments,
    Permissions,
    RuleKind,
    decide,
    decide_each,
    groups_of,
    may_sometimes,
)
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, Asker
from tests.fakes.rights import APP, DIRECT, ELSEWHERE, ENV, OPS, TERMINAL, asker, command, permissions

DEPLOY = command("deploy", APP, ENV)
JOBS = command("jobs", is_reading=True)
APPS = Parameter("apps", is_list=True)


def may(
    given: Permissions,
    who: Asker,
    what: Command = DEPLOY,
    arguments: Arguments | None = None,
    where: Conversation = ELSEWHERE,
) -> bool:
    return decide(given, who, what, arguments if arguments is not None else {"app": "shop"}, where).is_allowed


def test_nothing_configured_members_read_and_nobody_changes_anything() -> None:
    nothing = permissions()

    assert may(nothing, asker(), JOBS, {})
    assert not may(nothing, asker())
    assert not may(nothing, asker("U9"), command("run", Parameter("job")), {"job": "a"})


def test_admins_may_everything_where_nothing_is_configured() -> None:
    assert may(permissions(admins="U1"), asker("U1"))
    assert not may(permissions(admins="U1"), asker("U2"))


@pytest.mark.parametrize(
    "standing", [AccountStatus.GUEST, AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER]
)
def test_who_is_no_member_may_not_even_read(standing: AccountStatus) -> None:
    assert not may(permissions(), asker(standing=standing), JOBS, {})


@pytest.mark.parametrize("standing", [AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER])
def test_an_id_in_every_role_lets_in_no_bot_no_disabled_account_and_no_stranger(standing: AccountStatus) -> None:
    given = permissions({"deploy": "ops"}, roles={"ops": "U1"}, admins="U1", may_use="U1, members")

    assert not may(given, asker("U1", standing), DEPLOY)
    assert not may(given, asker("U1", standing), JOBS, {})


def test_a_guest_may_where_may_use_and_a_line_name_him() -> None:
    lines, roles = {"deploy": "ops"}, {"ops": "U1"}

    assert not may(permissions(lines, roles=roles), asker("U1", AccountStatus.GUEST))
    assert may(permissions(lines, roles=roles, may_use="members, U1"), asker("U1", AccountStatus.GUEST))


def test_an_account_of_another_workspace_is_a_stranger_whatever_its_standing() -> None:
    given = permissions({"deploy": "U1"}, admins="U1", teams={"slack": "T1"})

    assert may(given, asker("U1", team="T1"))
    assert not may(given, asker("U1", team="T2"))
    assert not may(given, asker("U1", team="T2"), JOBS, {})


def test_nobody_is_known_by_his_name() -> None:
    """Somebody who calls himself as a role, or as another person, is nobody else for it."""
    given = permissions({"deploy": "ops"}, roles={"ops": "U1"}, admins="U2")

    assert not may(given, asker("ops"))
    assert not may(given, asker("admins"))
    assert not may(given, asker("U3"))


def test_the_same_id_at_another_service_is_somebody_else() -> None:
    given = permissions({"deploy": "U1, dingtalk:0123"})

    assert not may(given, asker("U1", service="dingtalk"))
    assert may(given, asker("0123", service="dingtalk"))
    assert not may(given, asker("0123"))


class TestSeveralRules:
    GIVEN = permissions(
        {"deploy": "ops", "deploy env:prod": "release"}, roles={"ops": "U1, U2", "release": "U2, U3"}, admins="U4"
    )

    @pytest.mark.parametrize(
        ("user", "staging", "prod"),
        [("U1", True, False), ("U2", True, True), ("U3", False, False), ("U4", True, True), ("U5", False, False)],
    )
    def test_all_lines_that_match_must_hold(self, user: str, staging: bool, prod: bool) -> None:
        assert may(self.GIVEN, asker(user), DEPLOY, {"app": "shop", "env": "staging"}) == staging
        assert may(self.GIVEN, asker(user), DEPLOY, {"app": "shop", "env": "prod"}) == prod

    def test_the_marker_and_a_line_must_both_hold(self) -> None:
        both = command("deploy", APP, ENV, allow=("release",))

        assert not may(self.GIVEN, asker("U1"), both)
        assert may(self.GIVEN, asker("U2"), both)
        assert not may(self.GIVEN, asker("U3"), both)
        assert may(self.GIVEN, asker("U4"), both)

    def test_one_of_the_roles_of_a_marker_is_enough(self) -> None:
        either = command("deploy", APP, allow=("ops", "release"))
        given = permissions(roles={"ops": "U1", "release": "U3"})

        assert [may(given, asker(user), either) for user in ("U1", "U3", "U5")] == [True, True, False]

    def test_a_line_about_other_arguments_says_nothing_and_admins_remain(self) -> None:
        given = permissions({"deploy env:prod": "members"}, admins="U4")

        assert may(given, asker("U1"), DEPLOY, {"app": "shop", "env": "prod"})
        assert not may(given, asker("U1"), DEPLOY, {"app": "shop", "env": "staging"})
        assert may(given, asker("U4"), DEPLOY, {"app": "shop", "env": "staging"})


@pytest.mark.parametrize(
    ("default", "is_prod"),
    [("'prod'", True), ("'staging'", False), ("", False), ("None", False)],
)
def test_a_missing_argument_is_tested_with_its_default(default: str, is_prod: bool) -> None:
    env = Parameter("env", is_required=False, default=default)
    given = permissions({"deploy": "members", "deploy env:prod": "nobody"})

    assert may(given, asker(), command("deploy", APP, env)) is not is_prod


def test_a_default_that_only_python_knows_is_for_admins() -> None:
    env = Parameter("env", is_required=False, default="os.environ['ENV']")
    given = permissions({"deploy": "members", "deploy env:prod": "members"}, admins="U4")

    assert not may(given, asker("U1"), command("deploy", APP, env))
    assert may(given, asker("U4"), command("deploy", APP, env))
    assert may(given, asker("U1"), command("deploy", APP, env), {"app": "shop", "env": "prod"})


@pytest.mark.parametrize(
    ("default", "parameter"),
    [
        ("True", Parameter("x", ValueKind.FLAG, is_required=False, default="True")),
        (
            "Env.PROD",
            Parameter("x", ValueKind.CHOICE, ("PROD", "TEST"), is_required=False, default="Env.PROD", enum="E"),
        ),
        ("'PROD'", Parameter("x", ValueKind.CHOICE, ("PROD", "TEST"), is_required=False, default="'PROD'", enum="E")),
        ("['a', 'prod']", Parameter("x", is_list=True, is_required=False, default="['a', 'prod']")),
        ("3", Parameter("x", ValueKind.WHOLE, is_required=False, default="3")),
    ],
)
def test_defaults_of_every_kind_are_read(default: str, parameter: Parameter) -> None:
    pattern = {"True": "yes", "3": "3", "Env.PROD": "PROD", "'PROD'": "PROD"}.get(default, "prod")
    given = permissions({"deploy": "members", f"deploy x:{pattern}": "nobody"})

    assert not may(given, asker(), command("deploy", APP, parameter))
    assert may(permissions({"deploy": "members"}), asker(), command("deploy", APP, parameter))


@pytest.mark.parametrize("words", ["ship", "Deploy", "/deploy", "app.deploy", "deploy"])
def test_an_alias_the_full_name_and_other_spellings_are_the_command_itself(words: str) -> None:
    deploy = command("deploy", APP, aliases=("ship",))

    assert not may(permissions({"deploy": "members", f"{words} app:shop": "nobody"}), asker(), deploy)
    assert may(permissions({words: "members"}), asker(), deploy)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("pr*", "prod", True),
        ("pr?d", "prod", True),
        ("[ps]*", "staging", True),
        ("prod", "PROD", False),
        ("prod", "prod ", False),
        ("*", "", True),
        ("prod", "production", False),
        ("caf\u00e9", "cafe\u0301", True),
        ("cafe\u0301", "caf\u00e9", True),
        ("a*", "a\nb", True),
        ('"New York"', "New York", True),
        ("v1:2", "v1:2", True),
        ("a=b", "a=b", True),
    ],
)
def test_values_are_compared_as_globs_over_composed_text(pattern: str, value: str, fits: bool) -> None:
    given = permissions({"deploy": "members", f"deploy app:{pattern}": "nobody"})

    assert may(given, asker(), DEPLOY, {"app": value}) is not fits


@pytest.mark.parametrize(
    ("kind", "pattern", "value", "fits"),
    [
        (ValueKind.FLAG, "yes", "true", True),
        (ValueKind.FLAG, "True", "yes", True),
        (ValueKind.FLAG, "no", "yes", False),
        (ValueKind.WHOLE, "5", "05", True),
        (ValueKind.WHOLE, "5", "50", False),
        (ValueKind.NUMBER, "1.0", "1", True),
        (ValueKind.DURATION, "10m", "600s", True),
        (ValueKind.DURATION, "10m", "600", True),
        (ValueKind.DATE, "2026-12-24", "2026-12-24", True),
        (ValueKind.PATH, "/etc/*", "/./etc//passwd", True),
        (ValueKind.PATH, "/etc/*", "/home/etc/x", False),
    ],
)
def test_one_value_in_another_spelling_is_the_same_value(
    kind: ValueKind,
    pattern: str,
    value: str,
    fits: bool,
) -> None:
    given = permissions({"deploy": "members", f"deploy x:{pattern}": "nobody"})

    assert may(given, asker(), command("deploy", Parameter("x", kind)), {"x": value}) is not fits


class TestLists:
    GIVEN = permissions(
        {"deploy apps:shop": "ops", "deploy apps:web*": "web"}, roles={"ops": "U1, U3", "web": "U2, U3"}
    )
    DEPLOY = command("deploy", APPS)

    @pytest.mark.parametrize(
        ("user", "apps", "allowed"),
        [
            ("U1", ("shop",), True),
            ("U1", ("shop", "shop"), True),
            ("U1", ("shop", "web"), False),
            ("U1", ("web", "shop"), False),
            ("U3", ("web", "shop", "web2"), True),
            ("U3", ("web", "shop", "bank"), False),
            ("U3", (), False),
        ],
    )
    def test_every_item_must_be_allowed(self, user: str, apps: tuple[str, ...], allowed: bool) -> None:
        assert may(self.GIVEN, asker(user), self.DEPLOY, {"apps": apps}) == allowed

    def test_long_lists_cost_little(self) -> None:
        two = command("deploy", APPS, Parameter("hosts", is_list=True))
        given = permissions({"deploy apps:a*": "members", "deploy hosts:h*": "members"})
        many = tuple(f"a{number}" for number in range(1000))
        hosts = tuple(f"h{number}" for number in range(1000))

        decision = decide(given, asker(), two, {"apps": many, "hosts": hosts}, OPS)

        assert decision.is_allowed
        assert len(decision.rules) == 3


class TestChannels:
    GIVEN = permissions({"cancel": "ops in #ops, C0009"}, roles={"ops": "U1"}, admins="U4")
    CANCEL = command("cancel")

    @pytest.mark.parametrize(
        ("where", "allowed"),
        [
            (OPS, True),
            (Conversation("slack", "C1", ""), False),
            (Conversation("slack", "C0009", ""), True),
            (Conversation("slack", "C0009", "renamed"), True),
            (Conversation.of(Address("slack", "#ops")), True),
            (Conversation.of(Address("slack", "C0009")), True),
            (Conversation.of(Address("slack", "C1"), "ops"), True),
            (ELSEWHERE, False),
            (DIRECT, False),
            (Conversation("dingtalk", "cid1", "ops"), False),
            (Conversation("cli"), False),
            (Conversation("slack", "#ops", ""), True),
            (Conversation("slack", "C2", "#ops"), False),
        ],
    )
    def test_a_line_holds_in_its_channels_only(self, where: Conversation, allowed: bool) -> None:
        assert may(self.GIVEN, asker("U1"), self.CANCEL, {}, where) == allowed

    def test_admins_may_anywhere(self) -> None:
        assert may(self.GIVEN, asker("U4"), self.CANCEL, {}, ELSEWHERE)
        assert may(self.GIVEN, TERMINAL, self.CANCEL, {}, Conversation("cli"))

    def test_the_right_channel_is_no_role(self) -> None:
        assert not may(self.GIVEN, asker("U2"), self.CANCEL, {}, OPS)


class TestUserGroups:
    GIVEN = permissions({"deploy": "ops"}, roles={"ops": "S789, U2"})

    def test_a_member_of_the_group_has_the_role(self) -> None:
        assert may(self.GIVEN, asker("U1", groups=["S789"]))
        assert not may(self.GIVEN, asker("U1", groups=["S111"]))

    def test_an_unknown_group_refuses_and_says_so(self) -> None:
        decision = decide(self.GIVEN, asker("U1", unknown=["S789"]), DEPLOY, {"app": "shop"}, OPS)

        assert not decision.is_allowed
        assert decision.is_uncertain
        assert explain(decision, self.GIVEN.roles) == (
            "Try again: Slack does not tell now who is in S789, and `deploy` depends on it."
        )

    def test_an_unknown_group_that_decides_nothing_is_no_matter(self) -> None:
        assert may(self.GIVEN, asker("U2", unknown=["S789"]))
        assert may(self.GIVEN, asker("U1", groups=["S789"], unknown=["S111"]))

    def test_what_is_refused_anyway_is_not_called_unknown(self) -> None:
        given = permissions({"deploy": "ops", "deploy env:prod": "nobody"}, roles={"ops": "S789"})

        decision = decide(given, asker(unknown=["S789"]), DEPLOY, {"app": "a", "env": "prod"}, OPS)

        assert not decision.is_uncertain
        assert [refusal.rule.text for refusal in decision.refusals] == ["deploy env:prod = nobody"]


class TestUnknownStanding:
    def test_it_refuses_and_says_so(self) -> None:
        given = permissions({"deploy": "U1"}, admins="U1")

        decision = decide(given, asker("U1", AccountStatus.UNKNOWN), JOBS, {}, OPS)

        assert not decision.is_allowed
        assert decision.is_uncertain
        assert explain(decision, given.roles).startswith("Try again: Slack does not tell now who you are")

    def test_who_is_in_no_role_in_any_case_is_refused_in_the_usual_words(self) -> None:
        given = permissions({"deploy": "U2"})

        assert not decide(given, asker("U1", AccountStatus.UNKNOWN), DEPLOY, {"app": "a"}, OPS).is_uncertain


class TestTerminal:
    @pytest.mark.parametrize(
        ("cli_role", "deploys", "reads"),
        [
            ("admins", True, True),
            ("ops", True, False),
            ("everybody", True, False),
            ("members", False, True),
            ("nobody", False, False),
            ("ops, members", True, True),
            ("other", False, False),
        ],
    )
    def test_it_has_cli_role_and_nothing_else(self, cli_role: str, deploys: bool, reads: bool) -> None:
        roles = {"ops": "U1", "other": "U2", "everybody": "ops, other"}
        lines = {"deploy": "everybody" if cli_role == "everybody" else "ops"}
        given = permissions(lines, roles=roles, cli_role=cli_role, admins="U1")

        assert (may(given, TERMINAL), may(given, TERMINAL, JOBS, {})) == (deploys, reads)

    def test_a_role_within_another_counts(self) -> None:
        given = permissions({"deploy": "everybody"}, roles={"ops": "U1", "everybody": "ops"}, cli_role="ops")

        assert may(given, TERMINAL)

    def test_a_user_of_the_machine_is_nobody_of_the_chat(self) -> None:
        given = permissions({"deploy": "U1"}, admins="U1", cli_role="nobody")

        assert not may(given, asker("U1", AccountStatus.TERMINAL, service="cli"))
        assert not may(given, asker("U1", AccountStatus.MEMBER, service="cli"))

    def test_who_comes_with_a_token_has_the_role_of_tokens(self) -> None:
        assert not may(permissions(admins="U1"), asker("token", AccountStatus.MEMBER, service="web"), JOBS, {})


def test_joined_accounts_are_one_person() -> None:
    given = permissions({"deploy": "ops"}, roles={"ops": "U1"}, people=[("slack:U1", "github:ann", "dingtalk:0123")])

    assert may(given, asker("0123", service="dingtalk"))
    assert not may(given, asker("0124", service="dingtalk"))
    assert not may(given, asker("0123", AccountStatus.STRANGER, service="dingtalk"))


def test_nobody_is_a_role_that_admins_are_not_in_either() -> None:
    given = permissions({"deploy": "nobody"}, admins="U4")

    assert not may(given, asker("U4"))
    assert not may(given, TERMINAL)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deploy evn:prod", "`deploy` has no argument `evn`. Did you mean env?"),
        ("deploy env:prdo", "`prdo` is no value of `env`. Did you mean prod?"),
        ("deploy env:x*", "`x*` is no value of `env`. Allowed: staging, prod."),
    ],
)
def test_a_command_with_a_line_that_is_wrong_is_for_admins(line: str, said: str) -> None:
    given = permissions({"deploy": "members", line: "members"}, admins="U4")

    for env in ("prod", "staging"):
        decision = decide(given, asker("U1"), DEPLOY, {"app": "shop", "env": env}, OPS)
        assert not decision.is_allowed
        assert said in explain(decision, given.roles)
        assert may(given, asker("U4"), DEPLOY, {"app": "shop", "env": env})
    assert may(given, asker("U1"), JOBS, {})


def test_a_role_of_a_marker_that_is_not_there_lets_in_admins_only() -> None:
    given = permissions(roles={"ops": "U1"}, admins="U4")

    for role in ("opps", "@ops", "members in #ops"):
        wrong = command("deploy", APP, allow=(role,))
        assert not may(given, asker("U9"), wrong) or role == "members in #ops"
        assert may(given, asker("U4"), wrong)


class TestRunOfACommand:
    RUN = command("run", Parameter("job"))

    @pytest.mark.parametrize(
        ("user", "allowed"), [("U1", False), ("U2", False), ("U3", True), ("U4", True), ("U5", False)]
    )
    def test_it_asks_for_both_rights(self, user: str, allowed: bool) -> None:
        given = permissions(
            {"run": "runners", "deploy": "ops"}, roles={"runners": "U1, U3", "ops": "U2, U3"}, admins="U4"
        )
        asked: list[tuple[Command, Mapping[str, str]]] = [(self.RUN, {"job": "app.deploy"}), (DEPLOY, {"app": "shop"})]

        assert decide_each(given, asker(user), asked, OPS).is_allowed == allowed

    def test_nothing_asked_for_is_nothing_allowed(self) -> None:
        with pytest.raises(ValueError, match="nothing"):
            decide_each(permissions(admins="U1"), asker("U1"), [], OPS)


class TestHelp:
    @pytest.mark.parametrize(
        ("lines", "user", "shown"),
        [
            ({}, "U1", False),
            ({}, "U4", True),
            ({"deploy": "ops"}, "U1", True),
            ({"deploy": "ops"}, "U2", False),
            ({"deploy": "ops", "deploy env:prod": "release"}, "U1", True),
            ({"deploy": "ops", "deploy env:prod": "release"}, "U2", False),
            ({"deploy env:prod": "release"}, "U2", True),
            ({"deploy env:prod": "release"}, "U1", False),
            ({"deploy": "ops", "deploy evn:prod": "ops"}, "U1", False),
            ({"deploy": "ops in #ops"}, "U1", False),
        ],
    )
    def test_a_command_is_shown_where_some_arguments_are_allowed(
        self,
        lines: Mapping[str, str],
        user: str,
        shown: bool,
    ) -> None:
        given = permissions(lines, roles={"ops": "U1", "release": "U2"}, admins="U4")

        assert may_sometimes(given, asker(user), DEPLOY, ELSEWHERE) == shown


def test_groups_that_may_decide_are_those_named_anywhere() -> None:
    given = permissions(
        {"deploy": "S1, ops", "jobs": "U1"}, roles={"ops": "S2, U1"}, admins="S3", may_use="members, S4"
    )

    assert sorted(groups_of(given, [command("deploy", allow=("S5", "ops"))])) == ["S1", "S2", "S3", "S4", "S5"]


def test_a_decision_says_its_rules_and_the_roles_of_the_asker() -> None:
    given = permissions(
        {"deploy": "ops", "deploy env:prod": "release in #ops"}, roles={"ops": "U1", "release": "U2"}, admins="U4"
    )

    decision = decide(given, asker("U1"), DEPLOY, {"app": "shop", "env": "prod"}, OPS)

    assert [rule.kind for rule in decision.rules] == [RuleKind.MAY_USE, RuleKind.LINE, RuleKind.LINE]
    assert [(each.rule.text, each.rule.where) for each in decision.refusals] == [
        ("deploy env:prod = release in #ops", "slack_alert.conf:2")
    ]
    assert decision.roles == ("ops", "members")
