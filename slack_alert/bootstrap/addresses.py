"""Where messages go by the settings: the service, its conversations, the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.core.model.address import Address
from slack_alert.core.structs import replace

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def service(settings: Settings) -> str:
    """Name the channel that is meant where none is named."""
    if settings.dry_run:
        return "console"
    return settings.service or ("console" if settings.token is None else "slack")


def address(settings: Settings, text: str | None = None) -> Address:
    """Return the address of what a person wrote, or the configured one; without a token it is on the terminal."""
    meant = Address.parse(text or settings.channel or "", service(settings))
    return on_terminal(meant) if service(settings) == "console" else meant


def on_terminal(meant: Address) -> Address:
    """Return the place on the terminal that stands for a conversation."""
    return replace(meant, channel="console")


def errors_address(settings: Settings) -> Address:
    """Return the address of exceptions and of what the program has to complain about."""
    return address(settings, settings.errors_to)
