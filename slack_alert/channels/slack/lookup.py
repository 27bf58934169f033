"""Find out which messages Slack has accepted: by their hidden metadata, files by their id.

A message counts as missing only after well-formed answers to the end of the history.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.reading import cursor_of, items_of, part_of, text_of, unreadable
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

log = logging.getLogger(__name__)

EVENT = "slack_alert_delivery"
#: The clocks of Slack's own machines may differ by seconds.
MARGIN = timedelta(seconds=5)
#: How much further back messages of a former process are searched, as our clock may be, or may have been, wrong.
FORMER_MARGIN = timedelta(days=1)
PAGE_SIZE = 200
#: After so many pages of other messages, a message counts as missing.
MAX_PAGES = 500

_TS = lazy_pattern(r"\d{1,12}(\.\d{1,9})?", re.ASCII)


def mark(message: Message, *, edited: str = "") -> dict[str, object]:
    """Return the metadata by which a message is found again; people do not see it.

    An edit replaces the metadata of the message that it edits. That may be in doubt as well, so its key comes along.
    """
    first = {"of": edited} if edited else {}
    return {"event_type": EVENT, "event_payload": {"id": message.key, **first}}


def is_ts(text: str) -> bool:
    """Return whether a text is the `ts` of a message, not the id of a file."""
    return _TS.fullmatch(text) is not None


class MessageLocation(Struct, frozen=True):
    """A place to search: a thread, or a conversation itself, whose history has no replies."""

    channel: str
    thread: str = ""


class EarliestTimes:
    """The earliest time at which a message may have been posted, by Slack's clock, from which ours may differ."""

    def __init__(self) -> None:
        #: The last `ts` of a post to each conversation in this process, as text.
        self._latest: dict[str, str] = {}
        #: The last `ts` at the first attempt of each message in this process: it cannot be earlier.
        self._before: dict[str, str] = {}

    def record_attempt(self, message: Message) -> None:
        """Record the attempt of a message; messages to a conversation are accepted one after the other."""
        if message.key not in self._before and message.to.conversation in self._latest:
            self._before[message.key] = self._latest[message.to.conversation]

    def settle(self, message: Message, receipt: str | None) -> None:
        """Forget a message with a final outcome; remember its `ts`, where its receipt has one."""
        self._before.pop(message.key, None)
        ts = (receipt or "").partition("/")[2]
        if is_ts(ts) and float(ts) > float(self._latest.get(message.to.conversation, "0")):
            self._latest[message.to.conversation] = ts

    def oldest(self, deliveries: Iterable[Delivery], last_ts: str) -> str:
        """Return the `oldest` of a search; well before `last_ts` where a message may be of a former process."""
        bounds = [self._since(delivery, last_ts) for delivery in deliveries]
        return f"{max(0.0, min(bounds)):.6f}"

    def _since(self, delivery: Delivery, last_ts: str) -> float:
        before = self._before.get(delivery.message.key)
        if before is not None:
            return float(before) - MARGIN.total_seconds()
        created = delivery.created.timestamp()
        return min(created, float(last_ts) if last_ts else created) - FORMER_MARGIN.total_seconds()


class HistorySearch:
    """A search through the history of a place, page by page, which continues after a rate limit."""

    def __init__(
        self, place: MessageLocation, deliveries: Sequence[Delivery], *, files: Mapping[str, str], oldest: str
    ) -> None:
        self._place = place
        self._wanted = {delivery.message.key: delivery.id for delivery in deliveries}
        self._keys = {file: key for key, file in files.items() if key in self._wanted}
        self._method = "conversations.replies" if place.thread else "conversations.history"
        self._arguments = {
            "channel": place.channel,
            "oldest": oldest,
            "include_all_metadata": "true",
            "limit": str(PAGE_SIZE),
            **({"ts": place.thread} if place.thread else {}),
        }
        self._cursors: list[str] = []
        self._found: dict[int, str] = {}

    async def run(self, client: Client) -> dict[int, str]:
        """Return the receipts of messages found, by delivery id; raise `RefusedError`, also for malformed answers."""
        while len(self._cursors) < MAX_PAGES:
            last = {"cursor": self._cursors[-1]} if self._cursors else {}
            content = (await client.query(self._method, {**self._arguments, **last})).content
            messages = items_of(content, "messages")
            self._found.update(matches(messages, self._wanted, self._keys, self._place.channel))
            cursor = _next(content)
            if not cursor or len(self._found) == len(self._wanted):
                return self._found
            if cursor in self._cursors:
                raise unreadable()
            self._cursors.append(cursor)
        log.warning("looked only so far back", extra={"to": self._place.channel, "messages": MAX_PAGES * PAGE_SIZE})
        return self._found


def _next(content: Mapping[str, Any]) -> str:
    """Return the cursor of the next page, empty on the last page; raise `RefusedError` for a malformed answer."""
    cursor, has_more = cursor_of(content), content.get("has_more", False)
    if not isinstance(has_more, bool) or (has_more and not cursor):
        raise unreadable()
    return cursor


def matches(
    messages: Iterable[Mapping[str, Any]], wanted: Mapping[str, int], files: Mapping[str, str], channel: str
) -> Iterator[tuple[int, str]]:
    """Yield delivery id and receipt of each wanted message; raise `RefusedError` for a malformed message."""
    for message in messages:
        ts = text_of(message, "ts", is_needed=True)
        if not is_ts(ts):
            raise unreadable()
        for key in (*_keys_of(message), *(files.get(file) for file in _file_ids(message))):
            if key is not None and key in wanted:
                yield wanted[key], f"{channel}/{ts}"


def _keys_of(message: Mapping[str, Any]) -> Iterator[str]:
    metadata = part_of(message, "metadata")
    if metadata.get("event_type") == EVENT:
        payload = part_of(metadata, "event_payload")
        yield text_of(payload, "id", is_needed=True)
        yield text_of(payload, "of")


def _file_ids(message: Mapping[str, Any]) -> Iterator[str]:
    if message.get("files") is None:
        return
    for file in items_of(message, "files"):
        yield text_of(file, "id", is_needed=True)
