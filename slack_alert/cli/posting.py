"""Send messages that a person asked for, through the outbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slack_alert.cli import codes
from slack_alert.cli.fate import tell_refused, tell_unsent

if TYPE_CHECKING:
    from slack_alert.core.model.message import Message
    from slack_alert.settings import Settings


def post(settings: Settings, messages: Sequence[Message]) -> int:
    """Have messages delivered, from here where nobody runs; give the exit code. A dry run prints them."""
    from slack_alert.bootstrap.oneshot import requests
    from slack_alert.engine.clock import SystemClock
    from slack_alert.engine.requests import build

    if settings.dry_run:
        return _print(settings, messages)
    now = SystemClock().now()
    is_taken = True
    for message in messages:
        is_taken = requests.leave(settings, build.send(message, now))
    keys = {message.key for message in messages}
    if is_taken:
        return tell_refused(settings, (message.to for message in messages))
    return tell_unsent(settings, lambda delivery: delivery.message.key in keys)


def _print(settings: Settings, messages: Sequence[Message]) -> int:
    """Show what would be sent; nothing is kept."""
    import asyncio

    from slack_alert.bootstrap import wiring
    from slack_alert.core.model.message import Delivery
    from slack_alert.engine.clock import SystemClock

    console = wiring.make_channels(settings, sys.stdout)["console"]
    now = SystemClock().now()
    for message in messages:
        asyncio.run(console.send(Delivery(0, message, now), None))
    return codes.FINE
