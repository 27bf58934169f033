"""Make the doors of Slack, and what it tells about people and channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Protocol

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permissions import groups_of
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.ports import Door, People, WebRoutes

if TYPE_CHECKING:
    from slack_alert.bootstrap.runtime import Runtime
    from slack_alert.settings import Settings

#: The pack of the values that say how far channels were read; no folder has such a name.
_CURSORS = ".chat"


class Names(Protocol):
    """The names of channels, and their ids."""

    def name_of(self, channel: str) -> str:
        """Return the name of a channel, without `#`; empty where it is not known."""

    def id_of(self, name: str) -> str | None:
        """Return the id of a channel's name, which is written with `#`; None: it is not known."""


class _NoNames:
    def name_of(self, channel: str) -> str:  # noqa: ARG002 - as the protocol has it
        return ""

    def id_of(self, name: str) -> str | None:  # noqa: ARG002 - as above
        return None


async def _nothing_to_close() -> None:
    """Do nothing."""


class SlackSide(Struct, frozen=True):
    """What Slack has to do with commands."""

    doors: tuple[Door, ...]
    people: Mapping[str, People]
    names: Names
    #: Doors that the web server serves, with their addresses.
    served: tuple[tuple[Door, WebRoutes], ...] = ()
    #: What goes on beside the doors, until cancelled.
    beside: tuple[Callable[[], Coroutine[object, object, None]], ...] = ()
    #: Closes the connections that it has made.
    close: Callable[[], Coroutine[object, object, None]] = _nothing_to_close


NO_SLACK = SlackSide((), {}, _NoNames())


def slack_side(settings: Settings, runtime: Runtime) -> SlackSide:
    """Make what lets people in from Slack."""
    from slack_alert.channels.slack.client import API_URL, Client, SlackAccess
    from slack_alert.channels.slack.inbound.channel_names import ChannelNames
    from slack_alert.channels.slack.inbound.people import SlackPeople
    from slack_alert.channels.slack.manifest import SLASH

    assert settings.token is not None, "there are no doors without it"
    access = SlackAccess(settings.token.reveal().strip(), settings.api_url or API_URL, settings.proxy, settings.ca_file)
    commands = [binding for binding in runtime.engine.catalog.bindings if isinstance(binding, Command)]
    accounts, channels = Client(access), Client(access)
    people = SlackPeople(accounts, groups=groups_of(settings.permissions, commands))
    doors: list[Door] = []
    served: list[tuple[Door, WebRoutes]] = []
    if settings.app_token is not None:
        from slack_alert.channels.slack.inbound.socket_mode import SocketModeDoor

        app = replace(access, token=settings.app_token.reveal().strip())
        doors.append(SocketModeDoor(app, people, runtime.clock, command=SLASH))
    if settings.signing_secret is not None and settings.web_listen:
        from slack_alert.channels.slack.inbound.http import SlackHooks

        secret = settings.signing_secret.reveal()
        hooks = SlackHooks(secret, people.installation, people.forget, runtime.clock, command=SLASH)
        served.append((hooks, hooks.routes()))
    if settings.chat_poll is not None and settings.chat_channels:
        from slack_alert.channels.slack.inbound.polling import SlackPolling
        from slack_alert.channels.slack.inbound.stored_cursor import StoredCursor

        cursor = StoredCursor(runtime.services.key_value_store(_CURSORS))
        doors.append(
            SlackPolling(
                cursor,
                Client(access),
                people.installation,
                runtime.clock,
                channels=settings.chat_channels,
                every=settings.chat_poll,
            )
        )
    named = [
        place.conversation for line in settings.permissions.lines for place in line.places if place.service == "slack"
    ]
    # Whether a text may be shown where somebody asks depends on the channels that jobs speak in.
    spoken_in = [job.to.conversation for job in runtime.engine.catalog.jobs if job.to.channel == "slack"]
    all_names = (*named, *settings.chat_prefixes, settings.channel or "", settings.errors_to or "", *spoken_in)
    names = ChannelNames(channels, runtime.clock, filter(_is_name, all_names))

    async def close() -> None:
        people.close()
        await asyncio.gather(accounts.close(), channels.close())

    return SlackSide(tuple(doors), {"slack": people}, names, tuple(served), (names.follow,), close)


def _is_name(conversation: str) -> bool:
    return conversation.startswith("#")
