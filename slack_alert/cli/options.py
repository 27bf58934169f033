"""The options of every command, before or after its name; the later value counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])  # Any: click passes what the options say

_SCHEDULERS = "AsyncIOScheduler, BackgroundScheduler, GeventScheduler or TornadoScheduler."

#: All default to None: only given options override the environment and the files.
_OPTIONS = (
    click.option("--path", metavar="DIR", help="The folder that holds plugins/ (.)."),
    click.option("-c", "--config", metavar="FILE", help="Read this file instead of both slack_alert.conf."),
    click.option("--ignore-global-config", is_flag=True, default=None, help="Skip the user's slack_alert.conf."),
    click.option("--channel", metavar="CHANNEL", help="Where messages go: #ops, C0123, @ann."),
    click.option("-s", "--scheduler", metavar="NAME", help=_SCHEDULERS),
    click.option("--working-hours", metavar="HOURS", help="When jobs run: 9:30-19:00, or windows for days."),
    click.option("--max-alert", metavar="N", help="Alerts within the pause time before a job is paused (3)."),
    click.option("--pause-time", metavar="MINUTES", help="How long that pause is (60)."),
    click.option("--timezone", metavar="ZONE", help="The time zone, such as Europe/Berlin."),
    click.option("--database", metavar="URL", help="Where the state is kept (sqlite:///PATH/.slack_alert/state.db)."),
    click.option(
        "--dry-run",
        is_flag=True,
        default=None,
        help="Everything goes to the terminal; nothing is kept or changed.",
    ),
    click.option("--log-level", metavar="LEVEL", help="debug, info, warning, error or critical."),
    click.option("--log-format", metavar="FORMAT", help="text or json."),
)


def common(command: F) -> F:
    """Decorate a command with the common options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def remember(ctx: click.Context, flags: Mapping[str, object]) -> dict[str, object]:
    """Merge these flags over those given before the command; return all given flags."""
    known: dict[str, object] = ctx.ensure_object(dict)
    known.update({name: value for name, value in flags.items() if value is not None})
    return known
