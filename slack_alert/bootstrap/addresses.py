"""Resolve the addresses of messages from the settings; apart, because it is imported before gevent's patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.address import SERVICES, Address, check_address
from slack_alert.core.structs import replace

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def services(settings: Settings) -> tuple[str, ...]:
    """Return the services that an address can name."""
    return (*SERVICES, *settings.channels)


def service(settings: Settings) -> str:
    """Return the service of an address that names none; without Slack it is that of the configured channel."""
    if settings.dry_run:
        return "console"
    if settings.service or settings.token is not None:
        return settings.service or "slack"
    named, colon, _ = (settings.channel or "").partition(":")
    return named if colon and named in services(settings) and named != "slack" else "console"


def address(settings: Settings, text: str | None = None) -> Address:
    """Return the address for a written `text`, or the configured address; raise BadValue for one that there is not."""
    written = text or settings.channel or ""
    check_address(written, services(settings), [robot.name for robot in settings.dingtalk])
    return reachable(settings, Address.parse(written, service(settings), None))


def reachable(settings: Settings, meant: Address) -> Address:
    """Return an address, or the one on the terminal that stands in for it: in a dry run, or without Slack's token."""
    if settings.dry_run:
        return on_terminal(meant)
    has_slack = settings.service == "slack" if settings.service else settings.token is not None
    return on_terminal(meant) if meant.channel == "slack" and not has_slack else meant


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
