"""Build and deploy by Jenkins, and follow it in the chat."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from slack_alert import deco
from slack_alert.core.units.quantities import format_duration
from slack_alert.packs.jenkins._builds import Build, Follower, failing_lines, last_builds, read_build, whole_log
from slack_alert.packs.jenkins._client import JenkinsError, connected, job_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_alert import Context

_SHOWN = 10
#: What would end the block that shows a log, and what stands for it.
_FENCE, _QUOTES = "`" * 3, "'" * 3


@deco(command="jenkins test", queue="jenkins", lock="jenkins {service}")
async def test(ctx: Context, service: str) -> str:
    """Build a service in Jenkins, and say how it went.

    Example: jenkins test shop
    """
    return await _built(ctx, service, {})


@deco(command="deploy", queue="deploy", lock="jenkins {service}")
async def deploy(ctx: Context, service: str, version: str | None = None) -> str:
    """Deploy a service by Jenkins, and say how it went.

    Example: deploy shop
        deploy shop 1.4.2
    """
    return await _built(ctx, service, {} if version is None else {str(ctx.config["version_parameter"]): version})


@deco(command="builds", allow="members", queue="jenkins")
async def builds(ctx: Context, service: str) -> list[dict[str, str]] | str:
    """List the last builds of a service.

    Example: builds shop
    """
    path = _path(ctx, service)
    async with connected(ctx.config) as client:
        found = await last_builds(client, path, _SHOWN)
    return [_row(ctx, build) for build in found] or f"{service} was never built"


@deco(command="log", queue="jenkins")
async def log(ctx: Context, number: int, service: str | None = None) -> tuple[str, bytes] | str:
    """Show the log of a build.

    Example: log 412 shop
    """
    services = _services(ctx)
    if service is None and len(services) == 1:
        (service,) = services
    if service is None:
        raise JenkinsError(f"say of which service: {', '.join(services)}")
    path = f"{_path(ctx, service)}/{number}"
    async with connected(ctx.config) as client:
        build = await read_build(client, path)
        text = await whole_log(client, path)
    if not text.strip():
        return f"{service} #{number} has written nothing, {_state(build)}"
    return f"{service}-{number}.log", text.encode()


async def _built(ctx: Context, service: str, values: Mapping[str, str]) -> str:
    """Build a service, and return how it went; a build that failed is a failed run."""
    path = _path(ctx, service)
    async with connected(ctx.config) as client:
        follower = Follower(client, path, ctx.progress)
        build = await follower.build(values)
        ctx.emit(
            "build_ended", service=service, job=path, number=build.number, result=build.result or "", url=build.url
        )
        if build.result == "SUCCESS":
            return f"{service} {ctx.link(build.url, f'#{build.number}')} {_state(build)}"
        stage, lines = await failing_lines(client, build)
    if lines:
        ctx.say(
            f"The last lines of {ctx.link(build.url, f'#{build.number}')}:\n```\n{lines.replace(_FENCE, _QUOTES)}\n```"
        )
    where = f" in the stage {stage}" if stage else ""
    raise JenkinsError(f"{service} #{build.number} {_state(build)}{where}: {build.url}")


def _services(ctx: Context) -> dict[str, str]:
    """Return the jobs by their services."""
    pairs = (each.partition("=") for each in ctx.config["services"])
    return {name.strip(): job_path(job.strip()) for name, _, job in pairs if name.strip() and job.strip()}


def _path(ctx: Context, service: str) -> str:
    services = _services(ctx)
    if service not in services:
        known = ", ".join(sorted(services)) or "none: write [jenkins.services] into slack_alert.conf"
        raise JenkinsError(f"there is no service {service}. Services: {known}")
    return services[service]


def _row(ctx: Context, build: Build) -> dict[str, str]:
    began = datetime.fromtimestamp(build.began, timezone.utc).strftime("%Y-%m-%d %H:%M") if build.began else "-"
    return {"build": ctx.link(build.url, f"#{build.number}"), "began": f"{began} UTC", "result": _state(build)}


def _state(build: Build) -> str:
    """Return a build's result in words; one that this version does not know is shown as it is."""
    if build.result is None:
        return "goes on"
    from datetime import timedelta

    words = {"SUCCESS": "succeeded", "FAILURE": "failed", "UNSTABLE": "is unstable", "ABORTED": "was aborted"}
    took = f" after {format_duration(timedelta(seconds=round(build.seconds)))}" if build.seconds >= 1 else ""
    return f"{words.get(build.result, build.result)}{took}"
