"""Approve a pull request: by a person whose account on the host is known, and who has not opened it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.core.commands.roles import ADMINS, MEMBERS, Roles
from slack_alert.core.errors import SlackAlertError
from slack_alert.packs.git._decision import Approval, is_author
from slack_alert.packs.git._hosts.http import HostError
from slack_alert.packs.git._owners import Approver
from slack_alert.packs.git._pull_requests import Host, PullRequest, PullState
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._rights import roles_of
from slack_alert.packs.git._sentences import short

if TYPE_CHECKING:
    from slack_alert import Context
    from slack_alert.core.model.run import AskedBy
    from slack_alert.packs.git._repositories import Repository


class NotApproved(SlackAlertError):
    """The approval is not taken."""


async def approve(ctx: Context, repository: Repository, host: Host, number: int) -> str:
    """Keep the approval of the newest commit, and tell the host who gave it; raise NotApproved."""
    pull = await host.pull(number)
    if pull.state is not PullState.OPEN:
        raise NotApproved(f"#{number} is {pull.state}.")
    login, approver = approver_of(ctx.by, roles_of(ctx), repository.service)
    if is_author(repository.service, pull, roles_of(ctx), approver.accounts):
        raise NotApproved(f"#{number} is yours: somebody else has to approve it.")
    records = Records(ctx.store, repository.name, number)
    if not records.approve(Approval(pull.sha, approver, login)):
        return f"You have approved {short(pull.sha)} of #{number} before."
    told = await _told(repository, host, pull, login, approver)
    return f"#{number} is approved by {login}, for {short(pull.sha)} alone: with a new commit it ends.{told}"


def approver_of(by: AskedBy | None, roles: Roles, service: str) -> tuple[str, Approver]:
    """Return the login on the host of whoever asks, and who that is; raise NotApproved where it is not known."""
    if by is None or by.asker is None or by.chat in {"cli", "web"}:
        raise NotApproved("Only people in a chat approve: at a terminal or with a token nobody knows who it is.")
    own = f"{by.chat}:{by.asker.identity.user}"
    accounts = roles.people.get(own, (own,))
    login = next((each.partition(":")[2] for each in accounts if each.startswith(f"{service}:")), "")
    if not login:
        line = f"{own.removeprefix('slack:')} = {service}:LOGIN"
        raise NotApproved(f"Who you are on the host is not known. Somebody has to write `{line}` into [people].")
    groups = tuple(sorted(by.asker.groups))
    return login, Approver(accounts, groups, MEMBERS in by.roles, ADMINS in by.roles)


async def _told(repository: Repository, host: Host, pull: PullRequest, login: str, approver: Approver) -> str:
    """Tell the host; return what people should know where it does not take it: the approval holds here anyway."""
    person = approver.accounts[0]
    text = f"`{login}` has approved {pull.sha} in the chat, as `{person}`."
    try:
        if repository.is_reviewed:
            await host.review(pull, text)
        else:
            await host.comment(pull, text, f"slack-alert {repository.name} {pull.number} {pull.sha} {person}")
    except HostError as error:
        what = "a review" if repository.is_reviewed else "a comment"
        return f" It is kept here, but it is not certain that the host has {what} about it: {error}"
    return " The review on the host is by the account of the token." if repository.is_reviewed else ""
