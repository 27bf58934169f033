"""Slack by polling as a door: asks for the history of some channels, for where nothing can reach this machine.

Slack allows few calls a minute for all channels together, so each is asked less often the more there are. Neither edits
nor replies in threads nor buttons come this way.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.directory import Directory
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.translate import Arrival, SlackInstallation, translate
from slack_alert.channels.slack.lookup import is_ts
from slack_alert.channels.slack.reading import cursor_of, items_of, text_of, unreadable
from slack_alert.core.model.asked import ChatMessage
from slack_alert.core.retry import DEFAULT_WAIT, SendStatus
from slack_alert.engine.ports import Clock, Cursor, DoorState, Intake

log = logging.getLogger(__name__)

#: In seconds, between two calls: Slack allows 50 a minute of `conversations.history`, and sending looks there as well.
CALL_GAP = 1.25
#: In seconds: how long a channel that cannot be read is left alone, at first and at most.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
#: Messages a call, and calls for one channel before what is older is passed over.
PAGE = 200
MOST_PAGES = 25


class SlackPolling:
    """The door of Slack by polling; to be used from one event loop."""

    name = "slack.polling"

    def __init__(
        self,
        cursor: Cursor,
        client: Client,
        installation: Callable[[], Awaitable[SlackInstallation]],
        clock: Clock,
        *,
        channels: Sequence[str],
        every: timedelta,
    ) -> None:
        """`channels` are names or ids of conversations, as in the configuration; `installation` may raise.

        The client is closed at the end.
        """
        self._cursor = cursor
        self._client = client
        self._installation = installation
        self._clock = clock
        self._directory = Directory(client)
        self._every = every.total_seconds()
        self._channels = [PolledChannel(written) for written in dict.fromkeys(channels)]
        #: When the next call may be made, in monotonic seconds.
        self._next_call = float("-inf")
        self._is_open, self._since = False, clock.now()

    async def run(self, intake: Intake) -> None:
        """Ask until cancelled, the channel that has waited longest first."""
        try:
            while True:
                channel = min(self._channels, key=lambda each: each.due)
                await self._sleep_until(channel.due)
                await self._visit(channel, intake)
                self._note_state()
        finally:
            self._is_open, self._since = False, self._clock.now()
            await self._client.close()

    def state(self) -> DoorState:
        """Return whether a channel is read; the reason names each that is not."""
        reasons = [f"{channel.written}: {channel.trouble}" for channel in self._channels if channel.trouble]
        if not reasons and not self._is_open:
            reasons = ["Slack was not asked yet"]
        return DoorState(is_open=self._is_open, since=self._since, reason="; ".join(reasons))

    async def _visit(self, channel: PolledChannel, intake: Intake) -> None:
        channel.due = self._clock.monotonic() + self._every
        try:
            await self._read(channel, intake)
        except RefusedError as refused:
            if refused.outcome.status is SendStatus.WAIT:
                # Not counted as trouble: it is asked for what it has not answered.
                self._next_call = self._clock.monotonic() + (refused.outcome.after or DEFAULT_WAIT).total_seconds()
                channel.due = self._next_call
                return
            self._fail(channel, refused.code, refused.outcome.hint)
        except Exception as error:  # noqa: BLE001 - what was not taken is asked for again
            # Not the error's text: it may quote what was said.
            self._fail(channel, type(error).__name__, "what was written there is asked for again")
        else:
            self._succeed(channel)

    async def _read(self, channel: PolledChannel, intake: Intake) -> None:
        """Take what was written since the last time, oldest first."""
        installation = await self._installation()
        channel.id = channel.id or await self._directory.channel_id(channel.written)
        since = self._cursor.get(channel.id)
        if not since:
            return await self._begin(channel.id)
        new = sorted(await self._history(channel.id, since), key=_order)
        done = since
        try:
            for message in new:
                said = self._said(channel.id, message, installation)
                if said is not None:
                    await intake.take(said)
                done = text_of(message, "ts")
        finally:
            if done != since:
                await self._cursor.set(channel.id, done)

    async def _begin(self, channel: str) -> None:
        """Pass over what is there already: nothing old is obeyed. By Slack's clock, not by this machine's."""
        page = await self._call({"channel": channel, "limit": "1"})
        newest = [text_of(message, "ts") for message in items_of(page, "messages")]
        await self._cursor.set(channel, newest[0] if newest and is_ts(newest[0]) else _BEFORE_ALL)

    async def _history(self, channel: str, since: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        at = ""
        for _ in range(MOST_PAGES):
            asked = {"channel": channel, "oldest": since, "limit": str(PAGE)}
            page = await self._call({**asked, "cursor": at} if at else asked)
            found += (message for message in items_of(page, "messages") if is_ts(text_of(message, "ts")))
            last, at = at, cursor_of(page)
            if not at:
                return found
            if at == last:
                raise unreadable()
        log.warning("too much was written to read it all", extra={"channel": channel, "messages": len(found)})
        return found

    async def _call(self, arguments: Mapping[str, str]) -> Mapping[str, Any]:
        await self._sleep_until(self._next_call)
        self._next_call = self._clock.monotonic() + CALL_GAP
        return (await self._client.query("conversations.history", arguments, to=arguments["channel"])).content

    def _said(self, channel: str, message: Mapping[str, Any], installation: SlackInstallation) -> ChatMessage | None:
        """Return what a person has written, in the form and under the id that it has at the other doors."""
        if message.get("type") != "message":
            return None
        body = {
            "type": "event_callback",
            "team_id": installation.team,
            "event": {**message, "channel": channel},
        }
        said = translate("events_api", body, Arrival(installation, self.name, self._clock.now()))
        return said if isinstance(said, ChatMessage) else None

    async def _sleep_until(self, moment: float) -> None:
        left = moment - self._clock.monotonic()
        if left > 0:
            await self._clock.sleep(left)

    def _fail(self, channel: PolledChannel, reason: str, hint: str) -> None:
        channel.failures += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(channel.failures - 1, 10))
        channel.due = self._clock.monotonic() + max(pause, self._every)
        trouble = f"{reason}, {hint}" if hint else reason
        if trouble != channel.trouble:
            log.warning("channel not read", extra={"channel": channel.written, "reason": reason, "hint": hint})
        channel.trouble, channel.is_read = trouble, False

    def _succeed(self, channel: PolledChannel) -> None:
        if channel.trouble:
            log.info("channel read again", extra={"channel": channel.written})
        channel.trouble, channel.is_read, channel.failures = "", True, 0

    def _note_state(self) -> None:
        is_open = any(channel.is_read for channel in self._channels)
        if is_open != self._is_open:
            self._is_open, self._since = is_open, self._clock.now()


class PolledChannel:
    """A channel and how its reading goes."""

    def __init__(self, written: str) -> None:
        #: As in the configuration.
        self.written = written
        #: Empty: not known yet.
        self.id = ""
        #: When it is asked again, in monotonic seconds.
        self.due = float("-inf")
        self.is_read = False
        #: Why it is not, and what to do.
        self.trouble = ""
        #: In a row.
        self.failures = 0


#: Before every message.
_BEFORE_ALL = "0000000000.000000"


def _order(message: Mapping[str, Any]) -> tuple[int, str]:
    seconds, _, fraction = text_of(message, "ts").partition(".")
    return int(seconds), fraction
