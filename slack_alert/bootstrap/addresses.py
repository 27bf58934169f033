"""Resolve the addresses of messages from the settings; apart, because it is imported before gevent's patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.address import Address
from slack_alert.core.structs import replace

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def service(settings: Settings) -> str:
    """Return the name of the default channel."""
    if settings.dry_run:
        return "console"
    return settings.service or ("console" if settings.token is None else "slack")


def address(settings: Settings, text: str | None = None) -> Address:
    """Return the address for a written `text`, or the configured address; without a token it is on the terminal."""
    meant = Address.parse(text or settings.channel or "", service(settings))
    return on_terminal(meant) if service(settings) == "console" else meant


def address_error(settings: Settings, to: str) -> SlackAlertError | None:
    """Return the error of an address, or None if it is valid."""
    try:
        address(settings, to)
    except SlackAlertError as error:
        return error
    return None


def on_terminal(meant: Address) -> Address:
    """Return the address on the terminal that stands in for a conversation."""
    return replace(meant, channel="console")


def errors_address(settings: Settings) -> Address:
    """Return the address of exceptions and of the program's own errors."""
    return address(settings, settings.errors_to)
