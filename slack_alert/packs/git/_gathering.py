"""Gather all that is known about a pull request: from the host, and from what is kept here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from slack_alert.packs.git._decision import Candidate
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._rights import may_still_approve

if TYPE_CHECKING:
    from slack_alert import Context
    from slack_alert.packs.git._pull_requests import Host
    from slack_alert.packs.git._repositories import Repository


async def gathered(ctx: Context, repository: Repository, host: Host, number: int) -> Candidate:
    """Return what decides about a pull request, all of it about the commit that is the newest now."""
    pull = await host.pull(number)
    reviews, checks, required, files = await asyncio.gather(
        host.reviews(pull), host.checks(pull), host.required(pull), host.files(pull)
    )
    records = Records(ctx.store, repository.name, number)
    asked = {"number": number, "repo": repository.name}
    approvals = [each for each in records.approvals if may_still_approve(ctx, each.approver, **asked)]
    return Candidate(
        repository.service,
        pull,
        approvals,
        reviews,
        checks,
        required,
        files,
        repository.owners,
        records.test,
        repository.needs_test,
        records.held_by,
    )
