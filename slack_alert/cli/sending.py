"""Send messages of short commands through the outbox, and report those that did not arrive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes

if TYPE_CHECKING:
    from slack_alert.core.model.address import Address
    from slack_alert.core.model.message import Delivery, Message
    from slack_alert.settings import Settings


_ADVICE = {
    "queued": "It goes out when slack-alert runs.",
    "dead": "`slack-alert doctor` looks for the cause, `slack-alert outbox retry {id}` sends it again.",
    "collapsed": "`slack-alert outbox retry {id}` says it after all.",
}


def report_unsent(settings: Settings, is_meant: Callable[[Delivery], bool]) -> int:
    """Print why matching messages did not arrive, and what to do; return the exit code."""
    from slack_alert.bootstrap import database

    with database.reading(settings) as reader:
        unsent = [each for each in reader.deliveries() if is_meant(each) and each.status.value != "sent"]
    for delivery in unsent:
        reason = f": {delivery.reason.rstrip('.')}" if delivery.reason else ""
        advice = _ADVICE[delivery.status.value].format(id=delivery.id)
        click.echo(f"Message {delivery.id} is {delivery.status}{reason}. {advice}", err=True)
    return exit_codes.FOUND if unsent else exit_codes.FINE


def report_refused(settings: Settings, to: Iterable[Address]) -> int:
    """Print the addresses' services that refuse the running program; return the exit code."""
    from slack_alert.bootstrap.oneshot.status import read_vitals

    if settings.dry_run:
        return exit_codes.FINE
    channels = {address.channel for address in to}
    refused = [name for name in read_vitals(settings).refused if name in channels]
    for name in refused:
        said = f"{name} refuses what the running slack-alert sends, so this waits as well"
        click.echo(f"{said}: `slack-alert doctor` looks for the cause.", err=True)
    return exit_codes.FOUND if refused else exit_codes.FINE


def post(settings: Settings, messages: Sequence[Message]) -> int:
    """Send messages, from this process if no program runs; return the exit code. A dry run prints them."""
    from slack_alert.bootstrap.oneshot.requests import print_messages, requester
    from slack_alert.operations.send import send

    asking = requester(settings)
    if settings.dry_run:
        print_messages(settings, messages, sys.stdout, at=asking.at)
        return exit_codes.FINE
    keys = {message.key for message in messages}
    if send(messages, asking):
        return report_refused(settings, (message.to for message in messages))
    return report_unsent(settings, lambda delivery: delivery.message.key in keys)
