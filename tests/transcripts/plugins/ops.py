from __future__ import annotations

from typing import Annotated, Literal

from slack_alert import Context, deco

RUNNING = {"shop": "1.4", "blog": "2.0"}


@deco(command=["deploy", "ship"], allow="ops", queue="deploy")
def deploy(
    ctx: Context,
    app: Literal["shop", "blog"],
    env: Literal["staging", "prod"] = "staging",
    version: str | None = None,
) -> str:
    """Put an application into an environment.

    Example: deploy shop prod
    """
    ctx.progress(0.4, "pulling")
    if version == "9.9":
        raise ValueError(f"there is no version {version} of {app}")
    ctx.progress(0.9, "starting")
    return f"{app} {version or RUNNING[app]} is on {env}"


@deco(command="db restart", allow="ops", lock="{env}")
def restart(env: Literal["staging", "prod"]) -> str:
    """Restart the database of an environment."""
    return f"the database of {env} is up"


@deco(command="sweep", allow="members")
def sweep(ctx: Context, folders: int = 3) -> str:
    """Remove what is old."""
    for number in range(folders):
        if ctx.canceled:
            return f"{number} removed, and the rest left"
        ctx.progress(number / folders, f"folder {number}")
    return f"{folders} removed"


@deco(command="login", allow="members")
def login(user: str, token: Annotated[str, "secret"]) -> str:
    """Log in."""
    return f"{user} is in" if token else "no token"


@deco(cron="0 12 * * *", to="#ops")
def disk() -> str:
    """Look whether the disk is full."""
    return "the disk is full"
