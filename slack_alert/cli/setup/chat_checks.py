"""What `slack-alert doctor` looks at where people can give commands: the doors, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from slack_alert.cli.setup.finding import Finding
from slack_alert.core.errors import SlackAlertError

if TYPE_CHECKING:
    from slack_alert.channels.slack.chat_diagnostics import ChatNeeds
    from slack_alert.core.commands.command import Command
    from slack_alert.settings import Settings

_MOST_NAMED = 5
_ADMINS = "set `admins = U...` in [chat]: the member ID from your profile in Slack, Copy member ID"


def check_chat(settings: Settings) -> Iterator[Finding]:
    """Yield the findings about doors and permissions; none where there is no door."""
    if not settings.has_slack_doors:
        return
    doors = ", ".join(_doors(settings))
    yield Finding("chat", "ok", f"people come in by {doors}")
    yield _admins(settings, _commands(settings))


def chat_needs(settings: Settings) -> ChatNeeds | None:
    """Return what Slack is asked about people, or None where nobody is let in."""
    if not settings.has_slack_doors:
        return None
    from slack_alert.channels.slack.chat_diagnostics import ChatNeeds
    from slack_alert.core.commands.permissions import groups_of
    from slack_alert.core.commands.roles import MemberKind

    roles = settings.permissions.roles
    named = [
        *roles.admins,
        *settings.permissions.may_use,
        *(each for members in roles.named.values() for each in members),
    ]
    people = dict.fromkeys(
        each.shown for each in named if each.kind is MemberKind.PERSON and each.id.startswith("slack:")
    )
    return ChatNeeds(tuple(people), groups_of(settings.permissions, _commands(settings)))


def _doors(settings: Settings) -> Iterator[str]:
    if settings.app_token is not None:
        yield "Socket Mode"
    if settings.signing_secret is not None and settings.web_listen:
        where = settings.web_public_url or ", ".join(map(str, settings.web_listen))
        yield f"HTTP (/hooks/slack at {where})"
    if settings.chat_poll is not None and settings.chat_channels:
        yield f"polling of {', '.join(settings.chat_channels)}"


def _admins(settings: Settings, commands: Sequence[Command]) -> Finding:
    permissions = settings.permissions
    if permissions.roles.admins:
        return Finding("chat", "ok", f"admins: {', '.join(each.shown for each in permissions.roles.admins)}")
    from slack_alert.core.commands.permission_lines import lines_for

    closed = [each.words for each in commands if not (each.allow or lines_for(permissions.lines, each))]
    if not closed:
        return Finding("chat", "warn", "there are no admins: nobody may pause, mute or cancel from the chat", _ADMINS)
    more = f" and {len(closed) - _MOST_NAMED} more" if len(closed) > _MOST_NAMED else ""
    named = ", ".join(closed[:_MOST_NAMED])
    return Finding("chat", "warn", f"there are no admins: nobody may {named}{more}", _ADMINS)


def _commands(settings: Settings) -> Sequence[Command]:
    from slack_alert.bootstrap.plugin_loading import survey_plugins
    from slack_alert.core.commands.command import Command

    try:
        found = survey_plugins(settings).bindings
    except SlackAlertError:  # The check of the plugins tells.
        return ()
    return [each for each in found if isinstance(each, Command)]
