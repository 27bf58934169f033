"""`slack-alert send TEXT`."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

import click

from slack_alert.cli.options import common, remember
from slack_alert.cli.running_program import POSTING_SETTINGS, effective_settings
from slack_alert.cli.sending import new_messages, post
from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.core.redaction.redaction import Redaction

if TYPE_CHECKING:
    from slack_alert.core.model.address import Address
    from slack_alert.core.model.message import Message


@click.command()
@common
@click.argument("text")
@click.option("--to", metavar="CHANNEL", help="Another channel than the configured one: #ops, C0123, @ann.")
@click.pass_context
def send(ctx: click.Context, /, *, text: str, to: str | None, **flags: object) -> int:
    """Say something in the channel, through the outbox; `-` reads standard input."""
    from slack_alert.bootstrap import addresses
    from slack_alert.loader import plugins_folder

    settings = effective_settings(remember(ctx, flags), concerns=POSTING_SETTINGS)
    if to is None and (sentence := settings.missing()):
        raise SettingsError(sentence)
    plugins_folder(settings.path)
    messages = _messages(_read_text(text), addresses.address(settings, to), Redaction(settings.secrets()))
    return post(settings, messages)


def _read_text(text: str) -> str:
    """Return the text to send; raise BadValue if it is empty."""
    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        where = "Standard input" if text == "-" else "TEXT"
        raise BadValue(f"{where} is empty: there is nothing to send.", hint='Write `slack-alert send "some text"`.')
    return said.strip("\r\n")


def _messages(text: str, to: Address, redaction: Redaction) -> list[Message]:
    from slack_alert.core.content.markup import Markup
    from slack_alert.core.content.render import Text, deliverable
    from slack_alert.engine.recording.redacting import redacted_piece

    # Redacted before it is escaped and split: an escaped secret, or one cut in two, would not be found.
    canonical = Markup(secrets.token_hex(4)).escape(redaction(text))
    parts = deliverable(redacted_piece(Text(canonical), redaction))
    return new_messages("send", to, parts)
