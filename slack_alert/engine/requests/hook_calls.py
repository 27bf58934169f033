"""The calls of hooks within a day: senders make them again, and so does whoever has overheard one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from slack_alert.core.events import HookAnswer, HookCall
from slack_alert.engine.batches import StoredValue

#: How long a call is remembered: longer than a signature without a body is good for.
REMEMBERED = timedelta(days=1)
#: The pack of what is remembered; no folder has such a name.
HOOKS_PACK = ".hooks"


class HookCalls:
    """Remembers calls; used on a single thread."""

    def __init__(self) -> None:
        #: The event and the body of each mark, and when it was made, oldest first.
        self._made: dict[str, tuple[int, str, datetime]] = {}

    def restore(self, entries: Iterable[StoredValue]) -> None:
        """Remember what a former process has taken."""
        found = {one.key: json.loads(one.value) for one in entries if one.pack == HOOKS_PACK and one.value is not None}
        made = [(mark, (event, digest, datetime.fromisoformat(at))) for mark, (event, digest, at) in found.items()]
        self._made = dict(sorted(made, key=lambda one: one[1][2]))

    def find(self, call: HookCall) -> HookAnswer | None:
        """Return what a call repeats, or None for a new one."""
        for mark in call.marks:
            if (made := self._made.get(mark)) is not None and call.event.at - made[2] <= REMEMBERED:
                return HookAnswer(made[0], is_repeated=made[1] == call.digest, is_refused=made[1] != call.digest)
        return None

    def remember(self, call: HookCall, event: int) -> list[StoredValue]:
        """Remember a new call, and return what keeps it."""
        at = call.event.at
        self._made |= dict.fromkeys(call.marks, (event, call.digest, at))
        while self._made and at - self._made[oldest := next(iter(self._made))][2] > REMEMBERED:
            del self._made[oldest]
        kept = json.dumps([event, call.digest, at.isoformat()])
        return [StoredValue(HOOKS_PACK, mark, kept, at + REMEMBERED) for mark in call.marks]
