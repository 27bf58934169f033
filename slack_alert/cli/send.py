"""`slack-alert send TEXT`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from slack_alert.cli import codes
from slack_alert.cli.fate import tell_unsent
from slack_alert.cli.options import common, remember
from slack_alert.cli.session import settings_of
from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.core.redaction import Redaction

if TYPE_CHECKING:
    from slack_alert.core.model import Address, Message
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("text")
@click.option("--to", metavar="CHANNEL", help="Another channel than the configured one: #ops, C0123, @ann.")
@click.pass_context
def send(ctx: click.Context, /, *, text: str, to: str | None, **flags: object) -> int:
    """Say something in the channel, through the outbox; `-` reads standard input."""
    from slack_alert import bootstrap
    from slack_alert.engine import requests
    from slack_alert.engine.clock import SystemClock
    from slack_alert.loader import plugins_folder

    settings = settings_of(remember(ctx, flags))
    if to is None and (sentence := settings.missing()):
        raise SettingsError(sentence)
    plugins_folder(settings.path)
    messages = _messages(_words(text), bootstrap.address(settings, to), Redaction(settings.secrets()))
    if settings.dry_run:
        return _print(settings, messages)
    now = SystemClock().now()
    is_taken = True
    for message in messages:
        is_taken = bootstrap.leave(settings, requests.send(message, now))
    keys = {message.key for message in messages}
    return codes.FINE if is_taken else tell_unsent(settings, lambda delivery: delivery.message.key in keys)


def _words(text: str) -> str:
    """Take what is to be said; raise BadValue where that is nothing."""
    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        where = "Standard input" if text == "-" else "TEXT"
        raise BadValue(f"{where} is empty: there is nothing to send.", hint='Write `slack-alert send "some text"`.')
    return said.strip("\r\n")


def _messages(text: str, to: Address, redaction: Redaction) -> list[Message]:
    from slack_alert.core.markup import Markup
    from slack_alert.core.model import Message
    from slack_alert.core.values import Text, deliverable
    from slack_alert.engine.redacted import redacted_message

    key = f"send/{uuid4().hex}"
    # Before it is escaped and split: a secret cut in two, or written otherwise, would not be found.
    canonical = Markup(secrets.token_hex(4)).escape(redaction(text))
    told = (Message(f"{key}#{number}", to, part) for number, part in enumerate(deliverable(Text(canonical))))
    return [redacted_message(message, redaction) for message in told]


def _print(settings: Settings, messages: Sequence[Message]) -> int:
    """Show what would be sent; nothing is kept."""
    import asyncio

    from slack_alert import bootstrap
    from slack_alert.core.model import Delivery
    from slack_alert.engine.clock import SystemClock

    console = bootstrap.make_channels(settings, sys.stdout)["console"]
    now = SystemClock().now()
    for message in messages:
        asyncio.run(console.send(Delivery(0, message, now), None))
    return codes.FINE
