"""Commands about pull requests. What is decided is in `_decision`; what hosts are asked for is in `_hosts`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from slack_alert import deco
from slack_alert.packs.git import _approving as approving
from slack_alert.packs.git import _merging as merging
from slack_alert.packs.git import _sentences as sentences
from slack_alert.packs.git import _testing as testing
from slack_alert.packs.git._decision import approvals, missing
from slack_alert.packs.git._gathering import gathered
from slack_alert.packs.git._pull_requests import Host, PullRequest
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._repositories import Repository, connected, repository_of
from slack_alert.packs.git._rights import check_right, roles_of

if TYPE_CHECKING:
    from slack_alert import Context

#: The most lines of a table, and how many pull requests are asked about at once.
_ROWS = 20
_AT_ONCE = 5


@deco(command="prs", allow="members", queue="", isolation="none")
async def prs(ctx: Context, repo: str = "") -> list[dict[str, str]] | str:
    """List the open pull requests.

    Example: prs
        prs shop
    """
    repository = repository_of(ctx.config, repo)
    turns = asyncio.Semaphore(_AT_ONCE)
    async with connected(ctx.config, repository) as host:
        found = await host.pulls()

        async def row(pull: PullRequest) -> dict[str, str]:
            async with turns:
                return await _row(ctx, repository, host, pull)

        rows = await asyncio.gather(*map(row, found[:_ROWS]))
    if len(found) > _ROWS:
        ctx.say(f"{len(found)} are open, of which the newest {_ROWS} are here.")
    return [*rows] or f"No pull request is open in {repository.path}."


@deco(command="pr", allow="members", queue="", isolation="none")
async def pr(ctx: Context, number: int, repo: str = "") -> dict[str, str]:
    """Show a pull request, and what is missing to merge it.

    Example: pr 233
        pr 233 shop
    """
    repository = repository_of(ctx.config, repo)
    async with connected(ctx.config, repository) as host:
        candidate = await gathered(ctx, repository, host, number)
    pull, roles = candidate.pull, roles_of(ctx)
    named = f"#{number} {sentences.title(pull)}"
    approved = ", ".join(sentences.shown(each.name) for each in approvals(candidate, roles))
    lacks = [sentences.lack_text(lack, number, is_named=repo) for lack in missing(candidate, roles)]
    return {
        "pull request": ctx.link(pull.url, named) if pull.url.startswith("http") else named,
        "author": sentences.shown(pull.author),
        "branch": f"{sentences.shown(pull.source)} into {sentences.shown(pull.target)}",
        "commit": sentences.short(pull.sha),
        "age": sentences.age(pull, ctx.now),
        "checks": sentences.checks_text(candidate.checks),
        "approved by": approved or "nobody",
        "missing": "; ".join(lacks) or "nothing",
    }


@deco(command="test", queue="", isolation="none", lock="git test {repo} {number}", timeout="4h")
async def test(ctx: Context, number: int, repo: str = "") -> str:  # noqa: PT028 - it tests pull requests
    """Test the newest commit of a pull request.

    Example: test 233
    """
    repository = repository_of(ctx.config, repo)
    check_right(ctx, "test", number=number, repo=repository.name)
    async with connected(ctx.config, repository) as host:
        return await testing.test(ctx, repository, host, number)


@deco(command="approve", queue="", isolation="none")
async def approve(ctx: Context, number: int, repo: str = "") -> str:
    """Approve the newest commit of a pull request of somebody else.

    Example: approve 233
    """
    repository = repository_of(ctx.config, repo)
    check_right(ctx, "approve", number=number, repo=repository.name)
    async with connected(ctx.config, repository) as host:
        return await approving.approve(ctx, repository, host, number)


@deco(command="merge", queue="git", isolation="none", lock="git merge", timeout="10m")
async def merge(
    ctx: Context, number: int, repo: str = "", *, method: Literal["merge", "squash", "rebase"] = "merge"
) -> str:
    """Merge a pull request where nothing is missing.

    Example: merge 233
        merge 233 shop --method squash
    """
    repository = repository_of(ctx.config, repo)
    check_right(ctx, "merge", number=number, repo=repository.name, method=method)
    async with connected(ctx.config, repository) as host:
        return await merging.merge(ctx, repository, host, number, method, named=repo)


@deco(command="hold", queue="", isolation="none")
def hold(ctx: Context, number: int, repo: str = "") -> str:
    """Keep a pull request from being merged.

    Example: hold 233
    """
    # The host is not asked: what has to be stopped is stopped without it.
    name = ctx.by.name or ctx.by.key if ctx.by else "somebody"
    repository = repository_of(ctx.config, repo)
    check_right(ctx, "hold", number=number, repo=repository.name)
    Records(ctx.store, repository.name, number).hold(name)
    return f"#{number} is on hold."


@deco(command="unhold", queue="", isolation="none")
def unhold(ctx: Context, number: int, repo: str = "") -> str:
    """Take back that a pull request is on hold.

    Example: unhold 233
    """
    repository = repository_of(ctx.config, repo)
    check_right(ctx, "unhold", number=number, repo=repository.name)
    records = Records(ctx.store, repository.name, number)
    held_by = records.held_by
    records.unhold()
    return f"#{number} is not on hold any more." if held_by else f"#{number} was not on hold."


async def _row(ctx: Context, repository: Repository, host: Host, pull: PullRequest) -> dict[str, str]:
    checks, reviews = await asyncio.gather(host.checks(pull), host.reviews(pull))
    kept = [each.name for each in Records(ctx.store, repository.name, pull.number).approvals if each.sha == pull.sha]
    on_host = [each.login for each in reviews if each.is_approval and each.sha == pull.sha]
    return {
        # As it is typed in the other commands.
        "number": str(pull.number),
        "title": f"{'draft: ' if pull.is_draft else ''}{sentences.title(pull)}",
        "author": sentences.shown(pull.author),
        "age": sentences.age(pull, ctx.now),
        "checks": sentences.checks_text(checks),
        "approved": ", ".join(dict.fromkeys(map(sentences.shown, [*kept, *on_host]))) or "-",
    }
