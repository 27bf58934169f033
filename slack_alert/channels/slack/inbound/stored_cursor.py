"""Keep how far channels were read among the durable values of the program."""

from __future__ import annotations

import asyncio

from slack_alert.engine.context.key_value import KeyValueStore


class StoredCursor:
    """A cursor in a key-value store, by the channel's id."""

    def __init__(self, values: KeyValueStore) -> None:
        self._values = values

    def get(self, channel: str) -> str:
        """Return the time of the last message that was taken, empty at the first start."""
        value = self._values.get(_key(channel), "")
        return value if isinstance(value, str) else ""

    async def set(self, channel: str, ts: str) -> None:
        """Set it, durable when this returns; raise StoreError."""
        # On a thread, as it waits for the disk.
        await asyncio.to_thread(self._values.set, _key(channel), ts)


def _key(channel: str) -> str:
    return f"slack.polled/{channel}"
