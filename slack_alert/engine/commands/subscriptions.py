"""Who is told when commands start and end: kept in the key-value store, over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slack_alert.core.model.address import Address
from slack_alert.engine.context.key_value import KeyValueStore

#: The pack of what the chat keeps; no folder has such a name.
CHAT_PACK = ".chat"
#: Who waits for the end of a single run is forgotten then, whatever became of it.
_KEPT = timedelta(days=30)


class Subscriptions:
    """Addresses by commands and by single runs; used on any thread."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def __call__(self, command: str, run: int) -> Sequence[Address]:
        """Return who is told of a command, and of the end of a run (0: none)."""
        return [*self.of(command), *(self.of(run) if run else ())]

    def of(self, what: str | int) -> list[Address]:
        """Return who is told of a command, by its full name, or of a run."""
        return [Address(*text.split(":", 1)) for text in self._store.get(_key(what), ())]

    def add(self, what: str | int, to: Address) -> bool:
        """Tell an address from now on; return whether it was not told before."""
        return self._set(what, [*self.of(what), to]) if to not in self.of(what) else False

    def remove(self, what: str | int, to: Address) -> bool:
        """Tell an address no more; return whether it was told before."""
        return self._set(what, [each for each in self.of(what) if each != to]) if to in self.of(what) else False

    def at(self, to: Address) -> list[str]:
        """Return the commands and runs of which an address is told."""
        keys = [key for key in self._store.keys() if key.startswith(_PREFIX)]  # noqa: SIM118 - it is no dict
        return [key.removeprefix(_PREFIX) for key in keys if str(to) in self._store.get(key, ())]

    def _set(self, what: str | int, addresses: Sequence[Address]) -> bool:
        if addresses:
            self._store.set(_key(what), list(map(str, addresses)), expires=_KEPT if isinstance(what, int) else None)
        else:
            self._store.delete(_key(what))
        return True


_PREFIX = "subscribed/"


def _key(what: str | int) -> str:
    return f"{_PREFIX}{what}"
