"""What became of messages that were sent from here, because nobody is running who would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from slack_alert.cli import codes

if TYPE_CHECKING:
    from slack_alert.core.model import Delivery
    from slack_alert.settings import Settings

_ADVICE = {
    "queued": "It goes out when slack-alert runs.",
    "dead": "`slack-alert doctor` looks for the cause, `slack-alert outbox retry {id}` sends it again.",
    "collapsed": "`slack-alert outbox retry {id}` says it after all.",
}


def tell_unsent(settings: Settings, is_meant: Callable[[Delivery], bool]) -> int:
    """Say of each message meant that did not arrive why, and what comes next; give the exit code."""
    unsent = [delivery for delivery in _deliveries(settings, is_meant) if delivery.status.value != "sent"]
    for delivery in unsent:
        reason = f": {delivery.reason.rstrip('.')}" if delivery.reason else ""
        advice = _ADVICE[delivery.status.value].format(id=delivery.id)
        click.echo(f"Message {delivery.id} is {delivery.status}{reason}. {advice}", err=True)
    return codes.FOUND if any(delivery.status.value == "dead" for delivery in unsent) else codes.FINE


def _deliveries(settings: Settings, is_meant: Callable[[Delivery], bool]) -> list[Delivery]:
    from slack_alert.bootstrap import places

    with places.reading(settings) as reader:
        return [delivery for delivery in reader.deliveries() if is_meant(delivery)]
