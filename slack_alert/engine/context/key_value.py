"""The small durable key-value store of one pack, behind `ctx.store`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from slack_alert.core.model.run import Run, RunOutput, output_of
from slack_alert.core.units.quantities import parse_duration
from slack_alert.engine.batches import StoredValue

#: The most characters of a value: all values are held in memory, and every write is a transaction.
_MOST = 1_000_000


#: Returns once what was written is durable; raises StoreError where it is not in time.
Wait = Callable[[], None]
#: Writes entries, all or none; the returned function, if any, waits until they are durable.
Write = Callable[[Sequence[StoredValue]], Wait | None]


class KeyValueStore:
    """Values by key, kept across restarts: any JSON values, with an optional expiry."""

    def __init__(
        self,
        pack: str,
        entries: Iterable[StoredValue],
        *,
        write: Write,
        now: Callable[[], datetime],
        look: Callable[[], Iterable[StoredValue]] | None = None,
    ) -> None:
        self._pack = pack
        self._write = write
        #: Makes the last write win where several threads set a key at the same time.
        self._order = Lock()
        self._now = now
        #: Reads all entries of the pack again, where other processes may change them.
        self._look = look
        self._entries = {entry.key: entry for entry in entries}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or `default` where there is none or it has expired."""
        self._look_again()
        return self._value(key, default)

    def _value(self, key: str, default: Any = None) -> Any:
        entry = self._entries.get(key)
        if entry is None or entry.value is None or (entry.expires is not None and self._now() >= entry.expires):
            return default
        return json.loads(entry.value)

    def set(self, key: str, value: object, *, expires: object = None) -> None:
        """Set a value, durable when this returns; `expires` is a duration (seconds, or `2d`).

        Raise TypeError where JSON cannot hold the value, ValueError where it is too large, and StoreError where the
        disk accepts no write.
        """
        until = None if expires is None else self._now() + parse_duration(expires)
        written = json.dumps(value)
        if len(written) > _MOST:
            raise ValueError(
                f"ctx.store keeps values of {_MOST:,} characters at most, and that of {key!r} has {len(written):,}: "
                "keep it in a file, and its name here"
            )
        self._put(StoredValue(self._pack, key, written, until))

    def delete(self, key: str) -> None:
        """Delete a value; a missing key is no error."""
        self._put(StoredValue(self._pack, key, None))

    def keys(self) -> list[str]:
        """Return the keys that have a value now, sorted."""
        self._look_again()
        return sorted(key for key in list(self._entries) if self._value(key, self) is not self)

    def accept(self, entry: StoredValue) -> None:
        """Apply a value that another process wrote to the store."""
        self._entries[entry.key] = entry

    def for_run(self, run: Run) -> KeyValueStore:
        """Return the store as a run uses it: values that a sensor's run sets are written together with its events."""
        if not run.emits:
            return self
        output = output_of(run)
        own = SensorKeyValueStore(self, output)
        output.keep_values = own.flush
        return own

    def _look_again(self) -> None:
        """Read all entries again, and add those that this run has set and that are not written yet."""
        if self._look is not None:
            found = {entry.key: entry for entry in self._look()}
            with self._order:
                self._entries.clear()
                self._entries.update(found)
                self._entries.update({entry.key: entry for entry in self._unwritten()})

    def _unwritten(self) -> Sequence[StoredValue]:
        return ()

    def _put(self, entry: StoredValue) -> None:
        _check(entry)
        with self._order:
            self._entries[entry.key] = entry
            wait = self._write([entry])
        if wait is not None:
            wait()


class SensorKeyValueStore(KeyValueStore):
    """The store as a sensor's run sees it: values it sets are written together with its events, and not before.

    A sensor stores how far it has read. Were that written before the events found up to there, a kill in between would
    lose them for good.
    """

    def __init__(self, shared: KeyValueStore, output: RunOutput) -> None:
        super().__init__(shared._pack, (), write=shared._write, now=shared._now, look=shared._look)
        self._entries = shared._entries
        self._order = shared._order
        self._output = output
        self._set: list[StoredValue] = []

    def _unwritten(self) -> Sequence[StoredValue]:
        return self._set

    def flush(self) -> Wait | None:
        """Write the values set since the last call, with the events that were held for them.

        Those that were set again elsewhere are left out.
        """
        with self._order:
            last = [entry for entry in self._set if self._entries[entry.key] is entry]
            self._set.clear()
            if self._output.commit is not None:
                return self._output.commit(last)
            return self._write(last) if last else None

    def _put(self, entry: StoredValue) -> None:
        _check(entry)
        with self._order:
            self._entries[entry.key] = entry
            self._set.append(entry)


def key_value_stores(
    entries: Iterable[StoredValue],
    *,
    write: Write,
    now: Callable[[], datetime],
    look: Callable[[], Iterable[StoredValue]] | None = None,
) -> Callable[[str], KeyValueStore]:
    """Return a function from a pack to its store, always the same; `look` reads all entries of all packs again."""
    stores: dict[str, KeyValueStore] = {}

    def store_of(pack: str) -> KeyValueStore:
        def own(entries: Iterable[StoredValue]) -> list[StoredValue]:
            return [entry for entry in entries if entry.pack == pack]

        if pack not in stores:
            again = None if look is None else lambda: own(look())
            # Two first runs may meet here; the store that was set first counts.
            stores.setdefault(pack, KeyValueStore(pack, own(entries), write=write, now=now, look=again))
        return stores[pack]

    return store_of


def _check(entry: StoredValue) -> None:
    if not isinstance(entry.key, str):
        raise TypeError(f"a key of ctx.store must be a string, got {entry.key!r}")
