"""Permissions as a configuration would say them, and people who ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permission_lines import Conversation, parse_line
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.roles import Roles, parse_members
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.core.model.run import Action

OPS = Conversation("slack", "C1", "ops")
ELSEWHERE = Conversation("slack", "C2", "random")
DIRECT = Conversation("slack", "D1")
ENV = Parameter("env", ValueKind.CHOICE, ("staging", "prod"), is_required=False, default="'staging'")
APP = Parameter("app")


def permissions(
    lines: Mapping[str, str] | None = None,
    *,
    roles: Mapping[str, str] | None = None,
    admins: str = "",
    may_use: str = "members",
    cli_role: str = "admins",
    people: Sequence[tuple[str, ...]] = (),
    teams: Mapping[str, str] | None = None,
) -> Permissions:
    """Return what these lines of a configuration mean."""
    return Permissions(
        Roles(
            {name: parse_members(text) for name, text in (roles or {}).items()},
            parse_members(admins) if admins else (),
            parse_members(cli_role),
            people={account: accounts for accounts in people for account in accounts},
            teams=teams or {},
        ),
        tuple(
            parse_line(key, value, file="slack_alert.conf", line=number)
            for number, (key, value) in enumerate((lines or {}).items(), start=1)
        ),
        parse_members(may_use),
    )


def command(
    words: str = "deploy",
    *parameters: Parameter,
    allow: tuple[str, ...] = (),
    is_reading: bool = False,
    aliases: tuple[str, ...] = (),
) -> Command:
    name = f"app.{words.replace(' ', '_')}"
    action = Action(name, "plugins/app.py", 3)
    return Command(name, action, words, aliases, parameters, allow=allow, is_reading=is_reading)


def asker(
    user: str = "U1",
    standing: AccountStatus = AccountStatus.MEMBER,
    *,
    groups: Sequence[str] = (),
    unknown: Sequence[str] = (),
    service: str = "slack",
    team: str = "T1",
) -> Asker:
    identity = Identity(service, team if service == "slack" else "", user, "ann")
    return Asker(identity, standing, frozenset(groups), frozenset(unknown))


TERMINAL = asker("ann", AccountStatus.TERMINAL, service="cli")
