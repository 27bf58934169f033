"""`slack-alert manifest`; a module of its own, as each command is imported alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo
from slack_alert.cli.session import configured
from slack_alert.core.errors import BadValue, SlackAlertError

if TYPE_CHECKING:
    from slack_alert.channels.slack.manifest import SlashCommand
    from slack_alert.core.commands.command import Command
    from slack_alert.settings import Settings


@click.command()
@common
@click.option("--http", "url", metavar="URL", help="Slack calls the program at this address, instead of Socket Mode.")
@click.option("--no-chat", "is_silent", is_flag=True, help="An app that only posts: no commands, no buttons.")
@click.pass_context
def manifest(ctx: click.Context, /, *, url: str | None, is_silent: bool, **flags: object) -> int:
    """Print the Slack app's manifest, to paste at https://api.slack.com/apps: Create New App, From a manifest."""
    from slack_alert.channels.slack import manifest as written

    if url is not None and not url.startswith("https://"):
        raise BadValue(
            f"--http {url}: Slack calls https addresses only.", hint="Write --http https://alerts.example.org"
        )
    commands: list[SlashCommand] = []
    if not is_silent:
        try:
            settings = configured(remember(ctx, flags)).settings
            url = url or _url_of(settings)
            commands = _slash_commands(settings)
        except SlackAlertError as error:
            click.echo(f"slack-alert: without commands of plugins: {error}", err=True)
    echo(written(commands, url=url, has_chat=not is_silent).rstrip("\n"))
    return exit_codes.FINE


def _url_of(settings: Settings) -> str | None:
    """Return the address at which Slack calls, or None where the program calls Slack."""
    is_called = settings.signing_secret is not None and settings.app_token is None
    public = settings.web_public_url or ""
    return public if is_called and public.startswith("https://") else None


def _slash_commands(settings: Settings) -> list[SlashCommand]:
    """Return an entry for each command of the plugins and the configuration that is not hidden."""
    from slack_alert.bootstrap.plugin_loading import survey_plugins
    from slack_alert.core.commands.command import Command

    if not any((settings.path / name).is_dir() for name in ("plugins", "packs")):  # The app may come first.
        return []
    found = [each for each in survey_plugins(settings).bindings if isinstance(each, Command) and not each.is_hidden]
    return [_slash_command(each) for each in found]


def _slash_command(command: Command) -> SlashCommand:
    from slack_alert.channels.slack.manifest import SlashCommand
    from slack_alert.core.commands.arguments import usage

    word, _, further = usage(command).partition(" ")
    return SlashCommand(word, command.action.doc or "", further)
