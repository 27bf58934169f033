"""Test the newest commit of a pull request: start what the configuration names, follow it, and tell the host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from slack_alert.core.errors import SlackAlertError
from slack_alert.packs.git._decision import OwnTest
from slack_alert.packs.git._hosts.http import HostError
from slack_alert.packs.git._pull_requests import CheckState, Host, PullRequest, PullState
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._sentences import short, shown

if TYPE_CHECKING:
    from slack_alert import Context
    from slack_alert.core.commands.command import Command
    from slack_alert.operations.program import Program
    from slack_alert.packs.git._repositories import Repository

#: In seconds: how often the host is asked how its test goes.
PAUSE = 5.0


class NotPassed(SlackAlertError):
    """The test has failed."""


async def test(ctx: Context, repository: Repository, host: Host, number: int) -> str:
    """Test the newest commit, and say that it passed; raise NotPassed."""
    pull = await host.pull(number)
    if pull.state is not PullState.OPEN:
        raise NotPassed(f"#{number} is {pull.state}.")
    check_test(ctx, repository)
    records = Records(ctx.store, repository.name, number)
    records.tested(OwnTest(pull.sha, CheckState.PENDING))
    remark = await _told(host, pull, CheckState.PENDING, f"asked for by {_name(ctx)}")
    try:
        said = await _run(ctx, repository, host, pull)
    except BaseException as error:
        # Whatever it was, this commit has not passed.
        records.tested(OwnTest(pull.sha, CheckState.RED))
        if isinstance(error, Exception):
            await _told(host, pull, CheckState.RED, "failed")
        raise
    records.tested(OwnTest(pull.sha, CheckState.GREEN))
    remark = await _told(host, pull, CheckState.GREEN, f"asked for by {_name(ctx)}") or remark
    return f"#{number} passed at {short(pull.sha)}.{remark}{said}"


def check_test(ctx: Context, repository: Repository) -> None:
    """Raise NotPassed, with the line to write, where nothing can be started."""
    kind, name = repository.test_kind, repository.test_name
    if not kind:
        raise NotPassed(f"Nothing tests it: write test = command:NAME into [git.{repository.name}].")
    if kind == "jenkins":
        raise NotPassed(f"jenkins:{name} cannot be started yet in this version.")
    if kind == "command" and (ctx.program is None or not _programs(ctx, name)):
        raise NotPassed(f"There is no [command.{name}] with a program, which test = command:{name} names.")


async def _run(ctx: Context, repository: Repository, host: Host, pull: PullRequest) -> str:
    if repository.test_kind == "command":
        return await _program(ctx, repository, pull)
    started = await host.start_test(pull, repository.test_name)
    while (check := await host.test_state(pull, started)).state is CheckState.PENDING:
        ctx.progress(0.0, shown(check.word))
        await asyncio.sleep(PAUSE)
    if check.state is not CheckState.GREEN:
        raise NotPassed(f"{shown(check.name)} {check.state} ({shown(check.word)}) at {short(pull.sha)}.")
    return ""


async def _program(ctx: Context, repository: Repository, pull: PullRequest) -> str:
    """Run the program of a command; its parameters may be number, sha, branch and repo."""
    (command,) = _programs(ctx, repository.test_name)
    known = {"number": pull.number, "sha": pull.sha, "branch": pull.source, "repo": repository.path}
    given = {name: value for name, value in known.items() if name in command.action.parameters}
    if "branch" in given and pull.source.startswith("-"):
        raise NotPassed(f"The branch {shown(pull.source)} begins with a dash, which a program may take for an option.")
    assert command.action.function is not None, "it is made of the configuration"
    output = await asyncio.to_thread(command.action.function, ctx=ctx, **given)
    return f"\n{output}" if isinstance(output, str) and output.strip() else ""


def _programs(ctx: Context, name: str) -> list[Command]:
    return [each for each in cast("Program", ctx.program).commands() if each.words == name and each.program][:1]


async def _told(host: Host, pull: PullRequest, state: CheckState, text: str) -> str:
    """Write the status; a host that does not take it keeps nothing from being tested."""
    try:
        await host.status(pull, state, text)
    except HostError as error:
        return f" It is not certain that the host shows it: {error}"
    return ""


def _name(ctx: Context) -> str:
    return shown(ctx.by.name or ctx.by.key) if ctx.by else "nobody"
