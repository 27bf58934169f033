"""`slack-alert init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo
from slack_alert.cli.session import begin_log, configured, current_folder
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import SettingsError
from slack_alert.engine.system.file_ownership import make_folder, open_new

#: The example plugin; it posts soon, so that there is something to see.
EXAMPLE = '''\
"""An example. Every file in this folder is read; what a marked function returns is told to the channel."""
# `deco` is a mark that slack-alert reads from the source: it needs no import and need not exist.
# These lines tell linters and editors; or write `from slack_alert import deco` for a typed one that does nothing.
# ruff: noqa: F821
# flake8: noqa: F821
# pylint: disable=undefined-variable
# mypy: disable-error-code="name-defined"
# pyright: reportUndefinedVariable=false

import shutil


@deco(seconds=10, max_alert=3, pause_time=1)
def hello():
    """Speak three times within a minute, then rest: that is the quota at work."""
    return "Hello from plugins/example.py"


@deco(minutes=5)
def disk():
    """Speak only when there is something to say: an empty value is quiet."""
    usage = shutil.disk_usage("/")
    if usage.free < usage.total * 0.05:
        return f"The disk is nearly full: {usage.free // 2**30} GiB left"


@deco(cron="0 9 * * mon-fri")
def morning():
    """Good morning: it is nine o'clock."""
    return True  # says the first line above
'''


@click.command()
@common
@click.pass_context
def init(ctx: click.Context, /, **flags: object) -> int:
    """Write an example plugin and a commented slack_alert.conf in PATH; what is there already is kept."""
    from slack_alert.settings import render_conf

    loaded = configured(remember(ctx, flags))
    begin_log(loaded)
    settings = loaded.settings
    for name, content in (("plugins/example.py", EXAMPLE), ("slack_alert.conf", render_conf())):
        file = settings.path / name
        is_missing = not (file.exists() or file.is_symlink())
        done = _write(file, content) if not settings.dry_run else is_missing
        word = "missing" if settings.dry_run else "written"
        echo(f"{word if done else 'kept   '}  {_shown(file)}")
    where = "" if settings.path.resolve() == current_folder() else f" --path {_shown(settings.path)}"
    echo(f"\nNext: `slack-alert{where}` runs the example and prints what it says; nothing is sent without a token.")
    return exit_codes.FINE


def _write(file: Path, content: str) -> bool:
    """Write a file if it is missing; return whether it was. It is private: people put a token into it."""
    try:
        make_folder(file.parent)
        with os.fdopen(open_new(file, is_private=True), "w", encoding="utf-8") as opened:
            opened.write(content)
    except FileExistsError:
        if file.exists() or file.is_symlink():
            return False
        raise _write_error(file, "a file stands in the way of a folder") from None
    except OSError as error:
        raise _write_error(file, error.strerror or str(error), machine_lack(error)) from error
    return True


def _write_error(file: Path, reason: str, lack: str = "") -> SettingsError:
    return SettingsError(f"{file} cannot be written: {reason}.", hint=lack or "Choose another folder with --path.")


def _shown(path: Path) -> str:
    here, real = current_folder(), path.parent.resolve() / path.name
    return str(real.relative_to(here)) if real.is_relative_to(here) else str(path)
