"""`slack-alert chat`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.running_program import effective_config
from slack_alert.cli.session import begin_log, own_output

if TYPE_CHECKING:
    from slack_alert.core.redaction.redaction import Redaction
    from slack_alert.settings import LoadedSettings

_PROMPT = "> "


@click.command()
@common
@click.pass_context
def chat(ctx: click.Context, /, **flags: object) -> int:
    """Talk to the program as from a chat: each line is a command. Alone it is the program without jobs."""
    loaded = effective_config(remember(ctx, flags)).loaded
    redaction = begin_log(loaded)
    from slack_alert.bootstrap.database import running_pid
    from slack_alert.bootstrap.oneshot.chat import shown, talk_beside
    from slack_alert.bootstrap.plugin_loading import check_is_private

    settings, told = loaded.settings, dict[str, str]()
    check_is_private(settings)
    prompt = _PROMPT if sys.stdin.isatty() else ""
    if not settings.dry_run and running_pid(settings) is not None:
        talk_beside(settings, lambda: _lines(prompt), lambda message: shown(message, sys.stdout, told, prompt=prompt))
        return exit_codes.FINE
    return _alone(loaded, redaction, prompt)


def _alone(loaded: LoadedSettings, redaction: Redaction, prompt: str) -> int:
    from slack_alert.bootstrap import addresses, run
    from slack_alert.bootstrap.oneshot.chat import TerminalDoor, shown
    from slack_alert.core.structs import replace
    from slack_alert.settings import encode_published

    lines, told = _own_lines(prompt), dict[str, str]()
    # Nothing is patched for greenlets here, and no job needs a scheduler.
    settings = replace(loaded.settings, scheduler="AsyncIOScheduler")
    note = encode_published(loaded, addresses.service(settings))
    with own_output(settings, redaction=redaction, is_lasting=True) as out:
        return run.run(
            settings,
            None,
            redaction,
            out=out,
            standby=False,
            progress=None,
            ready=lambda _: None,
            note=note,
            terminal=lambda ended: TerminalDoor(
                lambda: lines, lambda message: shown(message, out, told, prompt=prompt), ended
            ),
        )


def _lines(prompt: str) -> Iterator[str]:
    """Yield what is typed, until the end of the input."""
    if prompt:
        import readline  # noqa: F401 - it gives `input` a history and the usual keys

        with suppress(EOFError):
            while True:
                yield input(prompt)
        return
    yield from sys.stdin


def _own_lines(prompt: str) -> Iterator[str]:
    """Return the lines of the standard input, which is empty for plugins from here on."""
    if prompt:
        click.echo(prompt, nl=False)
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # It stands for another one, and nobody but us reads it.
        return iter(sys.stdin)
    return iter(os.fdopen(os.dup(descriptor), encoding=sys.stdin.encoding, errors="replace"))
