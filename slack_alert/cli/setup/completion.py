"""`slack-alert completion SHELL`; a module of its own, as each command is imported alone."""

from __future__ import annotations

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common
from slack_alert.cli.output.streams import echo

PROGRAM = "slack-alert"
#: The variable that the completion script sets; click derives the same name from the program's.
VARIABLE = "_SLACK_ALERT_COMPLETE"


@click.command()
@common
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, *, shell: str, **_: object) -> int:
    """Print the shell's completion script.

    For bash, put `eval "$(slack-alert completion bash)"` into ~/.bashrc; for zsh the same with zsh into ~/.zshrc;
    for fish, write it to ~/.config/fish/completions/slack-alert.fish.
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None, "click knows these three"
    echo(script(ctx.find_root().command, {}, PROGRAM, VARIABLE).source().strip())
    return exit_codes.FINE
