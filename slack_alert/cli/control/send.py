"""`slack-alert send TEXT`."""

from __future__ import annotations

import secrets
import sys

import click

from slack_alert.cli.options import common, remember
from slack_alert.cli.running_program import POSTING_SETTINGS, effective_settings
from slack_alert.cli.sending import post
from slack_alert.core.errors import BadValue
from slack_alert.core.redaction.redaction import Redaction


@click.command()
@common
@click.argument("text")
@click.option("--to", metavar="CHANNEL", help="Another channel than the configured one: #ops, C0123, @ann.")
@click.pass_context
def send(ctx: click.Context, /, *, text: str, to: str | None, **flags: object) -> int:
    """Say something in the channel, through the outbox; `-` reads standard input."""
    from slack_alert.bootstrap import addresses
    from slack_alert.core.content.markup import Markup
    from slack_alert.core.content.render import Text
    from slack_alert.loader import plugins_folder
    from slack_alert.operations.send import make_messages

    settings = effective_settings(remember(ctx, flags), concerns=POSTING_SETTINGS)
    if to is None and (lack := settings.missing()):
        raise lack
    plugins_folder(settings.path)
    piece = Text(Markup(secrets.token_hex(4)).escape(_read_text(text)))
    where, redaction = addresses.address(settings, to), Redaction(settings.secrets())
    return post(settings, make_messages("send", piece, where, redaction, name="message"))


def _read_text(text: str) -> str:
    """Return the text to send; raise BadValue if it is empty."""
    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        where = "Standard input" if text == "-" else "TEXT"
        raise BadValue(f"{where} is empty: there is nothing to send.", hint='Write `slack-alert send "some text"`.')
    return said.strip("\r\n")
