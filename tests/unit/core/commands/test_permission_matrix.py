"""Every door, role, argument and channel against a table of what a reader of the configuration expects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations, product
from random import Random
from types import CodeType

import pytest

from slack_alert.core.commands import permission_lines, roles
from slack_alert.core.commands import permissions as permissions_module
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import decide
from slack_alert.core.model.asked import AccountStatus, Asker
from tests.fakes.rights import APP, DIRECT, ELSEWHERE, ENV, OPS, TERMINAL, asker, command, permissions

ROLES = {"ops": "U1, U3, S7, U6", "release": "dingtalk:0123, U3, U9", "all": "ops, release"}
JOINED = [("slack:U8", "dingtalk:0808")]

#: Who asks, and the roles that a reader gives them; after the bar those that depend on what Slack does not tell.
PEOPLE: list[tuple[str, Asker, str]] = [
    ("of ops", asker("U1"), "members ops all"),
    ("plain", asker("U2"), "members"),
    ("of both", asker("U3"), "members ops release all"),
    ("admin", asker("U4"), "members admins"),
    ("of the group", asker("U5", groups=["S7"]), "members ops all"),
    ("of a group unknown", asker("U5", unknown=["S7"]), "members | ops all"),
    ("of another group", asker("U5", groups=["S8"], unknown=["S9"]), "members"),
    ("a guest", asker("U6", AccountStatus.GUEST), "ops all"),
    ("a guest without a role", asker("U7", AccountStatus.GUEST), ""),
    ("a stranger with an id of ours", asker("U1", AccountStatus.STRANGER, team="T2"), ""),
    ("another team's, said to be a member", asker("U4", team="T2"), ""),
    ("a bot that is named", asker("U1", AccountStatus.BOT), ""),
    ("a disabled admin", asker("U4", AccountStatus.DISABLED), ""),
    ("an admin unknown", asker("U4", AccountStatus.UNKNOWN), "| members admins"),
    ("unknown", asker("U2", AccountStatus.UNKNOWN), "| members"),
    ("joined, at DingTalk", asker("0808", service="dingtalk"), "members admins"),
    ("of release, at DingTalk", asker("0123", service="dingtalk"), "members release all"),
    ("named as a role", asker("ops"), "members"),
    ("the terminal", TERMINAL, "all"),
    ("the terminal as U4", asker("U4", AccountStatus.TERMINAL, service="cli"), "all"),
]
#: Left side, right side, and the same for the reader: a value of env that it needs, one of the roles, the channel.
LINES: list[tuple[str, str, str, str, str]] = [
    ("deploy", "ops", "", "ops", ""),
    ("ship", "all", "", "all", ""),
    ("deploy env:prod", "release", "prod", "release", ""),
    ("deploy env:s*", "members, U4", "staging", "members admins", ""),
    ("app.deploy env:prod app:shop", "ops in #ops", "prod", "ops", "C1"),
    ("deploy env:*", "ops, release in C0002, #ops", "*", "ops release", "C1"),
    ("deploy app:shop", "nobody", "*", "nobody", ""),
    ("deploy evn:prod", "members", "wrong", "admins", ""),
    ("deplyo", "members", "never", "", ""),
    ("jobs", "members", "never", "", ""),
]
ALLOW: list[tuple[str, ...]] = [(), ("ops",), ("release", "members"), ("admins",)]
MAY_USE = ["members", "members, ops", "release"]
CHANNELS = [OPS, ELSEWHERE, DIRECT]
#: Lines, the roles in the marker, and who may use the bot at all.
Configuration = tuple[list[tuple[str, str, str, str, str]], tuple[str, ...], str]
_PARTS = 16


def expected(
    has: str, chosen: list[tuple[str, str, str, str, str]], allow: tuple[str, ...], env: str, here: str, may_use: str
) -> bool:
    """Return what a reader expects of somebody who has these roles."""
    mine = set(has.split())
    needed = [(set(roles.split()), channel) for _, _, when, roles, channel in chosen if when in {"", env, "*", "wrong"}]
    if any(when == "wrong" for _, _, when, _, _ in chosen):
        needed = [({"admins"}, "")]
    elif allow:
        needed.append((set(allow), ""))
    if not needed:
        needed = [({"admins"}, "")]
    if "terminal" not in mine:
        needed.append((set(may_use.replace(",", " ").split()), ""))
    for who, channel in needed:
        if who == {"nobody"}:
            return False
        if "admins" not in mine and not (who & mine and channel in {"", here}):
            return False
    return True


def certain(
    has: str, chosen: list[tuple[str, str, str, str, str]], allow: tuple[str, ...], env: str, here: str, may_use: str
) -> bool:
    """Leave out what is not known: whoever might have a role has it not."""
    known = has.partition("|")[0]
    return expected(known, chosen, allow, env, here, may_use)


def configurations(most: int, *, is_shuffled: bool = False) -> list[Configuration]:
    """Return the configurations with so many lines at most; shuffled, neighbours differ in everything."""
    sets = [[*chosen] for size in range(most + 1) for chosen in combinations(LINES, size)]
    found = list(product(sets, ALLOW, MAY_USE))
    if is_shuffled:
        Random(1).shuffle(found)
    return found


def cases(given_to: Iterable[Configuration]) -> Iterator[tuple[tuple[object, ...], bool, Callable[..., bool]]]:
    """Yield what describes a case, what is expected, and what decides it."""
    for chosen, allow, may_use in given_to:
        given = permissions(
            {key: value for key, value, *_ in chosen},
            roles=ROLES,
            admins="U4, U8",
            may_use=may_use,
            cli_role="all",
            people=JOINED,
            teams={"slack": "T1"},
        )
        deploy = command("deploy", APP, ENV, allow=allow, aliases=("ship",))
        for (name, who, has), env, where in product(PEOPLE, ("prod", "staging", ""), CHANNELS):
            arguments = {"app": "shop", "env": env} if env else {"app": "shop"}
            held = f"{has} terminal" if "terminal" in name else has
            wants = certain(held, chosen, allow, env or "staging", where.id, may_use)
            context = (name, env, where.id, [f"{key} = {value}" for key, value, *_ in chosen], allow, may_use)

            def decided(
                who: Asker = who, arguments: Mapping[str, str] = arguments, where: Conversation = where
            ) -> bool:
                return decide(given, who, deploy, arguments, where).is_allowed  # noqa: B023

            yield context, wants, decided


def wrong(given_to: Iterable[Configuration], *, at_most: int) -> list[str]:
    """Return the cases that are decided otherwise than a reader expects, the first ones."""
    found: list[str] = []
    for context, wants, decided in cases(given_to):
        if decided() is not wants:
            found.append(f"{'refused' if wants else 'ALLOWED'}: {context}")
            if len(found) == at_most:
                break
    return found


@pytest.mark.slow
def test_every_door_role_argument_and_channel_is_decided_as_a_reader_expects() -> None:
    assert wrong(configurations(2, is_shuffled=True)[::20], at_most=5) == []


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(_PARTS))
def test_so_is_each_of_them_with_up_to_three_lines(part: int) -> None:
    assert wrong(configurations(3)[part::_PARTS], at_most=5) == []


def test_the_table_allows_and_refuses_often() -> None:
    wants = [wants for _, wants, _ in cases(configurations(1))]

    assert len(wants) > 5000
    assert 0.1 < sum(wants) / len(wants) < 0.9


MUTANTS: list[tuple[Callable[..., object], str, str]] = [
    (permissions_module._refusal, "any_of((is_admin, has_role if is_here else NO))", "any_of((is_admin, has_role))"),
    (permissions_module._refusal, "NO if rule.is_closed else", ""),
    (permissions_module._refusal, "if answer.is_yes", "if answer.is_yes or answer.unknown"),
    (permissions_module._refusal, "not rule.places or any(", "not rule.places or not any("),
    (permissions_module.decide, "not refusals,", "len(refusals) < len(rules),"),
    (permissions_module.decide, "*_gates(permissions, asker)", "*()"),
    (permissions_module.rules_for, "return (*faulty, ", "return ("),
    (permissions_module.rules_for, "[*plain, *asked, *_of_marker(command)]", "[*plain, *asked]"),
    (permissions_module.rules_for, "[*plain, *asked, *_of_marker(command)]", "[*asked, *_of_marker(command)]"),
    (permissions_module.rules_for, "[*plain, *asked, *_of_marker(command)]", "[*plain, *_of_marker(command)]"),
    (permissions_module.rules_for, "rules or [_default(command)]", "rules"),
    (permissions_module._default, "if command.is_reading else _ADMINS", ""),
    (permissions_module._gates, "if has_given_role(asker):", "if True:"),
    (permissions_module._values, "else default_texts(parameter)", "else ('',)"),
    (permission_lines.matches, "return all(", "return any("),
    (permission_lines.matches, "return all(", "return not all("),
    (permission_lines.lines_for, "line.words in names", "line.words == command.words"),
    (permission_lines.names_of, "*command.aliases, ", ""),
    (permission_lines.names_of, ", command.name)", ",)"),
    (permission_lines.is_like, "fnmatchcase(_plain(kind, value), _plain(kind, pattern))", "False"),
    (permission_lines.Conversation.is_at, "place.conversation in names", "True"),
    (roles.membership, "if has_given_role(asker):", "if False:"),
    (roles.membership, "found.is_yes and standing in _UNKNOWN", "False"),
    (roles.standing_of, "team and identity.team and identity.team != team", "False"),
    (roles.membership, 'own = f"{asker.identity.service}:', 'own = f"slack:'),
    (roles.membership, "roles.people.get(own, (own,))", "(own,)"),
    (roles._Asking.any_of, "if member.id in self.accounts:", "if self.accounts:"),
    (roles._Asking._in_group, "group in self.asker.groups", "self.asker.groups"),
    (roles._Asking._in_group, "group in self.asker.groups", "group in self.asker.groups | self.asker.unknown_groups"),
    (roles._Asking._in_role, "{AccountStatus.MEMBER, AccountStatus.UNKNOWN}", "{*AccountStatus}"),
    (roles._is_given, "member in given or ", "member in given or member.id in roles.named or "),
]  # fmt: skip


def mutated(function: Callable[..., object], old: str, new: str) -> CodeType:
    """Return the code of a function with one text in place of another."""
    source = inspect.cleandoc("\n" + inspect.getsource(function))
    assert source.count(old) == 1, f"{function.__name__} has no `{old}` any more"
    made: dict[str, object] = {}
    exec("from __future__ import annotations\n" + source.replace(old, new), vars(inspect.getmodule(function)), made)
    return made[function.__name__].__code__  # type: ignore[attr-defined,no-any-return]


@pytest.mark.thorough
@pytest.mark.parametrize(("function", "old", "new"), MUTANTS, ids=lambda each: getattr(each, "__name__", None))
def test_code_that_lets_in_too_many_is_found_out(
    function: Callable[..., object], old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them is a mistake somebody could make."""
    monkeypatch.setattr(function, "__code__", mutated(function, old, new))

    assert wrong(configurations(2, is_shuffled=True), at_most=1) != []
