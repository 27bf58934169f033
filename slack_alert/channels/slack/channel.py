"""Slack as a channel: posts through the Web API, and looks up ambiguous messages before they are repeated."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.channels.slack.client import API_URL, TIMEOUT, Client, SlackAccess
from slack_alert.channels.slack.directory import Directory
from slack_alert.channels.slack.errors import CANNOT_FOLLOW, CLOSES_ONE_METHOD, RefusedError
from slack_alert.channels.slack.lookup import EarliestTimes, HistorySearch, MessageLocation, is_ts
from slack_alert.channels.slack.posting import Poster, SenderIdentity
from slack_alert.core.errors import NotNow
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery
from slack_alert.core.retry import SendResult, SendStatus

if TYPE_CHECKING:
    from slack_alert.channels.slack.chat_diagnostics import ChatNeeds
    from slack_alert.channels.slack.finding import SlackFinding

log = logging.getLogger(__name__)

_PASSING = frozenset({SendStatus.WAIT, SendStatus.RETRY, SendStatus.AMBIGUOUS})
_FINAL = frozenset({SendStatus.SENT, SendStatus.DESTINATION, SendStatus.PAYLOAD})


class SlackChannel:
    """The channel to a workspace, under one token; to be used from one event loop."""

    name = "slack"

    def __init__(
        self,
        token: str,
        *,
        username: str | None = None,
        icon_emoji: str | None = None,
        icon_url: str | None = None,
        api_url: str | None = None,
        proxy: str | None = None,
        ca_file: Path | None = None,
        timeout: timedelta = TIMEOUT,
        has_buttons: bool = False,
    ) -> None:
        """`has_buttons`: a door takes what is pressed, so the buttons of messages are shown."""
        self._client = Client(SlackAccess(token.strip(), api_url or API_URL, proxy, ca_file, timeout))
        self._directory = Directory(self._client)
        identity = SenderIdentity(username, icon_emoji, icon_url)
        self._poster = Poster(self._client, self._directory, identity, has_buttons=has_buttons)
        self._bounds = EarliestTimes()
        #: Searches to continue after a rate limit, by location and delivery ids.
        self._begun: dict[tuple[MessageLocation, frozenset[int]], HistorySearch] = {}
        self._cannot_look = False

    async def open(self) -> None:
        """Import the vendor's library without calling Slack; raise `BadValue` for a bad `ca_file`."""
        await self._client.open()

    async def close(self) -> None:
        await self._client.close()

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that everything can be done, or is done in its place by `send`."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Attempt a delivery; each error of Slack or the network becomes an outcome."""
        self._bounds.record_attempt(delivery.message)
        if self._begun:  # A search that began before this attempt must start anew after it.
            self._begun = {begun: search for begun, search in self._begun.items() if delivery.id not in begun[1]}
        try:
            outcome = SendResult(SendStatus.SENT, await self._poster.post(delivery.message, text, delivery.follows))
        except RefusedError as refused:
            outcome = refused.outcome
        if outcome.status in _FINAL:
            self._settle(delivery, outcome.receipt)
        return outcome

    def _settle(self, delivery: Delivery, receipt: str | None) -> None:
        """Forget what was kept for another attempt."""
        self._poster.files.pop(delivery.message.key, None)
        self._bounds.settle(delivery.message, receipt)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:
        """Return the receipts of accepted deliveries by id, or None where the token may not look; raise `NotNow`."""
        if not self._poster.uses_metadata:
            return None
        channel, _, mark = (last_receipt or "").partition("/")
        last_ts = mark if is_ts(mark) else ""
        try:
            channel = channel or await self._directory.channel_id(deliveries[0].message.to.conversation)
            found = await self._find(channel, deliveries, last_ts)
        except RefusedError as refused:
            if _is_passing(refused):
                raise NotNow(refused.code, after=refused.outcome.after) from refused
            self._warn_once(refused)
            return None
        for delivery in deliveries:
            if delivery.id in found:
                self._settle(delivery, found[delivery.id])
        return found

    async def check(
        self, conversations: Sequence[str], *, now: datetime, chat: ChatNeeds | None = None
    ) -> list[SlackFinding]:
        """Return findings about token, scopes, conversations and clock, for `doctor`; and about people with `chat`."""
        from slack_alert.channels.slack.diagnostics import check  # Only `doctor` asks.

        return await check(self._client, self._directory, conversations, now=now, chat=chat)

    async def _find(self, channel: str, wanted: Sequence[Delivery], last_ts: str) -> dict[int, str]:
        """Search the threads, then the conversation, where a reply to a deleted message is posted."""
        threads: dict[str, list[Delivery]] = {}
        for delivery in wanted:
            threads.setdefault(self._poster.thread(delivery.message, delivery.follows), []).append(delivery)
        found: dict[int, str] = {}
        for thread in filter(None, threads):
            found |= await self._search(MessageLocation(channel, thread), threads[thread], last_ts)
        left = [delivery for delivery in wanted if delivery.id not in found]
        return found | (await self._search(MessageLocation(channel), left, last_ts) if left else {})

    async def _search(self, place: MessageLocation, waiting: Sequence[Delivery], last_ts: str) -> dict[int, str]:
        begun = (place, frozenset(delivery.id for delivery in waiting))
        oldest = self._bounds.oldest(waiting, last_ts)
        search = self._begun.pop(begun, None) or HistorySearch(place, waiting, files=self._poster.files, oldest=oldest)
        try:
            return await search.run(self._client)
        except RefusedError as refused:
            if refused.outcome.status is SendStatus.WAIT:
                self._begun[begun] = search
            if place.thread and refused.code in CANNOT_FOLLOW:  # The thread was deleted with its replies.
                return {}
            raise

    def _warn_once(self, refused: RefusedError) -> None:
        if self._cannot_look:
            return
        self._cannot_look = True
        hint = (
            f"{refused.outcome.hint}; after a broken connection a message may come twice until the app has the scopes "
            "channels:history (groups:history, im:history) and metadata.message:read and is in the conversation"
        )
        log.warning("cannot look whether a message arrived", extra={"reason": refused.code, "hint": hint})


def _is_passing(refused: RefusedError) -> bool:
    """Return whether a later call may succeed: a refused token is replaced some day, a scope is not added by itself."""
    is_closed = refused.outcome.status is SendStatus.CREDENTIALS and refused.code not in CLOSES_ONE_METHOD
    return is_closed or refused.outcome.status in _PASSING
