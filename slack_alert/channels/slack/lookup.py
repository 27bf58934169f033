"""Look which messages Slack has accepted: by the hidden mark each one carries, files by their id.

Only a well-formed answer to the end of what was asked for says that a message is not there.
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
from slack_alert.core.structs import Struct

log = logging.getLogger(__name__)

EVENT = "slack_alert_delivery"
#: Slack's own machines need not agree to the second.
MARGIN = timedelta(seconds=5)
#: What a former process may have sent is looked for so long before our clock says, however wrong that is or was.
WIDE = timedelta(days=1)
PAGE_SIZE = 200
#: Beyond so many messages of others, a message is said to be not there.
PAGES = 500

_TS = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)


def mark(message: Message) -> dict[str, object]:
    """Return the metadata that lets a message be found again; people do not see it."""
    return {"event_type": EVENT, "event_payload": {"id": message.key}}


def is_ts(text: str) -> bool:
    """Tell the number of a message from the id of a file."""
    return _TS.fullmatch(text) is not None


class MessageLocation(Struct, frozen=True):
    """Where a message may stand: in a thread, or in the conversation itself, whose history shows no replies."""

    channel: str
    thread: str = ""


class EarliestTimes:
    """Since when, by Slack's own clock, each message may be there; ours need not agree with it."""

    def __init__(self) -> None:
        #: The last number Slack gave in this process for what was posted to each conversation, as it is written.
        self._latest: dict[str, str] = {}
        #: The same when a message was attempted first in this process: it cannot stand before that.
        self._before: dict[str, str] = {}

    def record_attempt(self, message: Message) -> None:
        """Note that a message is attempted; what is accepted to one conversation comes one after the other."""
        if message.key not in self._before and message.to.conversation in self._latest:
            self._before[message.key] = self._latest[message.to.conversation]

    def settle(self, message: Message, receipt: str | None) -> None:
        """Forget a message whose fate is known; note the number Slack gave it, where it has one of its own."""
        self._before.pop(message.key, None)
        ts = (receipt or "").partition("/")[2]
        if is_ts(ts) and float(ts) > float(self._latest.get(message.to.conversation, "0")):
            self._latest[message.to.conversation] = ts

    def oldest(self, deliveries: Iterable[Delivery], last_ts: str) -> str:
        """Return from when on to look; before `last_ts`, and wide, for those of a former process."""
        bounds = [self._since(delivery, last_ts) for delivery in deliveries]
        return f"{max(0.0, min(bounds)):.6f}"

    def _since(self, delivery: Delivery, last_ts: str) -> float:
        before = self._before.get(delivery.message.key)
        if before is not None:
            return float(before) - MARGIN.total_seconds()
        created = delivery.created.timestamp()
        return min(created, float(last_ts) if last_ts else created) - WIDE.total_seconds()


class HistorySearch:
    """Goes through what stands in one place, page by page; where Slack asks to wait, it goes on from there."""

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
        """Return the receipts of those that are there; raise `RefusedError`, also where it cannot be told."""
        while len(self._cursors) < PAGES:
            last = {"cursor": self._cursors[-1]} if self._cursors else {}
            content = (await client.ask(self._method, {**self._arguments, **last})).content
            messages = items_of(content, "messages")
            self._found.update(matches(messages, self._wanted, self._keys, self._place.channel))
            cursor = _next(content)
            if not cursor or len(self._found) == len(self._wanted):
                return self._found
            if cursor in self._cursors:
                raise unreadable()
            self._cursors.append(cursor)
        log.warning("looked only so far back", extra={"to": self._place.channel, "messages": PAGES * PAGE_SIZE})
        return self._found


def _next(content: Mapping[str, Any]) -> str:
    """Return the cursor of the next page; empty: this is the last one."""
    cursor, has_more = cursor_of(content), content.get("has_more", False)
    if not isinstance(has_more, bool) or (has_more and not cursor):
        raise unreadable()
    return cursor


def matches(
    messages: Iterable[Mapping[str, Any]], wanted: Mapping[str, int], files: Mapping[str, str], channel: str
) -> Iterator[tuple[int, str]]:
    """Yield which of those wanted these messages are; raise `RefusedError` where that cannot be read."""
    for message in messages:
        ts = text_of(message, "ts", is_needed=True)
        if not is_ts(ts):
            raise unreadable()
        for key in (_marked(message), *(files.get(file) for file in _files(message))):
            if key is not None and key in wanted:
                yield wanted[key], f"{channel}/{ts}"


def _marked(message: Mapping[str, Any]) -> str | None:
    metadata = part_of(message, "metadata")
    if metadata.get("event_type") != EVENT:
        return None
    return text_of(part_of(metadata, "event_payload"), "id", is_needed=True)


def _files(message: Mapping[str, Any]) -> Iterator[str]:
    if message.get("files") is None:
        return
    for file in items_of(message, "files"):
        yield text_of(file, "id", is_needed=True)
