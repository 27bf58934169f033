"""The names of those channels that the configuration names: messages come with ids only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.directory import Directory
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.engine.ports import Clock

log = logging.getLogger(__name__)

#: How long after a failure it is asked again, and how long a channel keeps its name, in seconds.
_AGAIN, _FRESH = 30.0, 3600.0


class ChannelNames:
    """Knows the ids of channels by their names; a channel that is not found, or not yet, has no name."""

    def __init__(self, client: Client, clock: Clock, names: Iterable[str]) -> None:
        """`names` are written with `#`."""
        self._client = client
        self._clock = clock
        self._names = tuple(dict.fromkeys(names))
        self._by_id: dict[str, str] = {}

    def name_of(self, channel: str) -> str:
        """Return the name of a channel, without `#`; empty where the configuration does not name it."""
        return self._by_id.get(channel, "")

    def id_of(self, name: str) -> str | None:
        """Return the id of a channel's name, which is written with `#`; None: it is not known."""
        return next((channel for channel, known in self._by_id.items() if f"#{known}" == name), None)

    async def follow(self) -> None:
        """Find the ids out, and again from time to time, until cancelled."""
        while self._names:
            is_known = await self._ask()
            await self._clock.sleep(_FRESH if is_known else _AGAIN)

    async def _ask(self) -> bool:
        directory = Directory(self._client)
        ids = {name: await _found(directory, name) for name in self._names}
        self._by_id = {channel: name.removeprefix("#") for name, channel in ids.items() if channel}
        return len(self._by_id) == len(self._names)


async def _found(directory: Directory, name: str) -> str:
    """Return the id of a channel; empty where it is not found."""
    try:
        return await asyncio.wait_for(directory.channel_id(name), _AGAIN)
    except (RefusedError, asyncio.TimeoutError) as error:
        reason = error.code if isinstance(error, RefusedError) else "no answer"
        log.warning("channel not known", extra={"channel": name, "reason": reason})
        return ""
