"""Merge a pull request: only where nothing is missing, exactly the commit that was looked at, and once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from slack_alert.core.errors import SlackAlertError
from slack_alert.packs.git._decision import missing
from slack_alert.packs.git._gathering import gathered
from slack_alert.packs.git._hosts.http import HostError, RequestRefused
from slack_alert.packs.git._pull_requests import Host, Merged, PullRequest, PullState
from slack_alert.packs.git._rights import roles_of
from slack_alert.packs.git._sentences import lack_text, short

if TYPE_CHECKING:
    from slack_alert import Context
    from slack_alert.packs.git._repositories import Repository

#: In seconds: a host that has not answered may still be merging.
PAUSES = (1.0, 3.0, 6.0)


class NotMerged(SlackAlertError):
    """The pull request is not merged."""


class UnknownOutcome(SlackAlertError):
    """Nobody knows whether the pull request is merged."""


async def merge(ctx: Context, repository: Repository, host: Host, number: int, method: str, *, named: str) -> str:
    """Merge a pull request and say so; raise NotMerged with what is missing."""
    candidate = await gathered(ctx, repository, host, number)
    pull = candidate.pull
    if pull.state is PullState.MERGED:
        raise NotMerged(f"#{number} was merged before.")
    if lacks := missing(candidate, roles_of(ctx)):
        said = "; ".join(lack_text(lack, number, is_named=named) for lack in lacks)
        raise NotMerged(f"#{number} is not merged: {said}.")
    try:
        merged = await host.merge(pull, method)
    except RequestRefused as error:
        raise NotMerged(f"#{number} is not merged. {error}") from None
    except HostError as error:  # An answer that is not understood says nothing of what was done.
        merged = await _found_out(host, pull, error)
    remark = f" {merged.remark}" if merged.remark else ""
    into = f"{short(pull.sha)} is in {pull.target}{f' as {short(merged.commit)}' if merged.commit else ''}"
    return f"#{number} is merged: {into}.{remark}"


async def _found_out(host: Host, pull: PullRequest, error: HostError) -> Merged:
    """Return what the merge has come to, of which the answer was lost; it is never sent again."""
    where = f"Look at {pull.url} before you ask again."
    for pause in PAUSES:
        await asyncio.sleep(pause)
        try:
            now = await host.pull(pull.number)
        except HostError:
            continue
        if now.state is PullState.MERGED and now.sha == pull.sha:
            return Merged(now.merge_commit)
        if now.state is PullState.MERGED:
            raise UnknownOutcome(f"#{pull.number} is merged, but with {short(now.sha)}, which nobody approved. {where}")
        if now.sha != pull.sha or now.state is not PullState.OPEN:
            raise NotMerged(f"#{pull.number} is not merged, and has changed meanwhile. {error}")
    raise UnknownOutcome(f"It is not known whether #{pull.number} will be merged. {error} {where}")
