"""Who may: also where the repository is meant by default, and still, when an approval is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import decide, rules_for
from slack_alert.core.commands.roles import ADMINS, Member, MemberKind, Roles, membership
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.packs.git._owners import Approver

if TYPE_CHECKING:
    from slack_alert import Context
    from slack_alert.operations.program import Program

#: Services in which people are asked who they are.
_CHATS = ("slack", "dingtalk")
_ADMINS = Member(MemberKind.ROLE, ADMINS)


class NotPermitted(SlackAlertError):
    """That is for others."""


def roles_of(ctx: Context) -> Roles:
    """Return the roles of the installation; without a chat there are none."""
    return Roles() if ctx.program is None else cast("Program", ctx.program).permissions.roles


def check_right(ctx: Context, word: str, **arguments: object) -> None:
    """Raise NotPermitted where a line about the repository that is meant by default is about who asks.

    `merge 12` may mean `merge 12 shop`, and `merge repo:shop = release` is about both.
    """
    if ctx.program is None or ctx.by is None or ctx.by.asker is None or ctx.reply_to is None:
        return
    program = cast("Program", ctx.program)
    if (command := _command(program, word)) is None:
        return
    place = Conversation.of(ctx.reply_to, program.channel_name(ctx.reply_to.conversation))
    texts = {name: str(value) for name, value in arguments.items()}
    decision = decide(program.permissions, ctx.by.asker, command, texts, place)
    if not decision.is_allowed:
        raise NotPermitted(explain(decision, program.permissions.roles))


def may_still_approve(ctx: Context, approver: Approver, **arguments: object) -> bool:
    """Return whether somebody who has approved something might do so now, wherever."""
    program = cast("Program | None", ctx.program)
    if program is None or (command := _command(program, "approve")) is None:
        return True
    account = next((each for each in approver.accounts if each.startswith(_CHATS)), "")
    service, _, user = account.partition(":")
    asker = Asker(Identity(service, "", user), AccountStatus.MEMBER, frozenset(approver.groups))
    texts = {name: str(value) for name, value in arguments.items()}
    rules = rules_for(program.permissions, command, texts)
    roles = program.permissions.roles
    return all(not rule.is_closed and membership(roles, asker, (*rule.roles, _ADMINS)).is_yes for rule in rules)


def _command(program: Program, word: str) -> Command | None:
    return next((each for each in program.commands() if each.name == f"git.{word}"), None)
