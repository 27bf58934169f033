"""Look which messages Slack has accepted: by the hidden mark each one carries, files by their id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from slack_alert.channels.slack.client import Client
from slack_alert.core.model import Delivery, Message
from slack_alert.core.parts import Upload
from slack_alert.core.structs import Struct

EVENT = "slack_alert_delivery"
#: Slack's clock and ours need not agree to the second.
MARGIN = timedelta(seconds=5)
PAGE_SIZE = 200
PAGES = 5


def mark(message: Message) -> dict[str, object]:
    """Give the metadata that lets a message be found again; people do not see it."""
    return {"event_type": EVENT, "event_payload": {"id": message.key}}


def is_ts(text: str) -> bool:
    """Tell the number of a message from the id of a file."""
    return text.replace(".", "", 1).isdigit()


class Place(Struct, frozen=True):
    """Where a message may stand: in a thread, or in the conversation itself, whose history shows no replies."""

    channel: str
    thread: str = ""


def can_be_told(delivery: Delivery, files: Mapping[str, str]) -> bool:
    """Whether its absence from where it may stand would prove that it was not accepted."""
    return not isinstance(delivery.message.piece, Upload) or delivery.message.key in files


async def look(
    client: Client, place: Place, deliveries: Sequence[Delivery], *, files: Mapping[str, str], last_ts: str
) -> dict[int, str]:
    """Give the receipts of those that are there; `files` are ids by message key. Raise `RefusedError`."""
    wanted = {delivery.message.key: delivery.id for delivery in deliveries}
    keys = {file: key for key, file in files.items() if key in wanted}
    found: dict[int, str] = {}
    arguments = {
        "channel": place.channel,
        "oldest": _oldest(deliveries, last_ts),
        "include_all_metadata": "true",
        "limit": str(PAGE_SIZE),
        **({"ts": place.thread} if place.thread else {}),
    }
    method = "conversations.replies" if place.thread else "conversations.history"
    async for page in client.pages(method, arguments, most=PAGES):
        found.update(matches(page.get("messages", ()), wanted, keys, place.channel))
        if len(found) == len(wanted):
            break
    return found


def _oldest(deliveries: Iterable[Delivery], last_ts: str) -> str:
    """Begin before the first was made; where our clock is ahead of Slack's, at the last one that is known."""
    created = min(delivery.created for delivery in deliveries) - MARGIN
    seconds = created.timestamp()
    return f"{min(seconds, float(last_ts)) if last_ts else seconds:.6f}"


def matches(
    messages: Iterable[Mapping[str, Any]], wanted: Mapping[str, int], files: Mapping[str, str], channel: str
) -> Iterator[tuple[int, str]]:
    for message in messages:
        for key in (_marked(message), *(files.get(file.get("id", "")) for file in message.get("files") or ())):
            if key is not None and key in wanted:
                yield wanted[key], f"{channel}/{message['ts']}"


def _marked(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return None
    key = (metadata.get("event_payload") or {}).get("id")
    return key if isinstance(key, str) else None
