"""Know whose robot it is: DingTalk tells with each message to it, and not with what is pressed on its cards."""

from __future__ import annotations

import asyncio

from slack_alert.engine.context.key_value import KeyValueStore


class OwnCorporation:
    """The corporation of a robot, kept over restarts; to be used from one event loop."""

    def __init__(self, robot: str, values: KeyValueStore | None = None) -> None:
        """Without `values` it is forgotten at a restart."""
        self._key = f"dingtalk.corporation/{robot}"
        self._values = values
        stored = values.get(self._key, "") if values is not None else ""
        #: Empty: it is not known yet.
        self.id = stored if isinstance(stored, str) else ""

    async def learn(self, corporation: str) -> None:
        """Remember what DingTalk tells, over a connection that nobody else has; raise StoreError."""
        if not corporation or corporation == self.id:
            return
        self.id = corporation
        if self._values is not None:
            # On a thread, as it waits for the disk.
            await asyncio.to_thread(self._values.set, self._key, corporation)
