"""The small durable key-value store of one pack, behind `ctx.store`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol, TypeVar

from slack_alert.core.errors import StoreError
from slack_alert.core.model.run import Run, RunOutput, output_of
from slack_alert.core.units.quantities import parse_duration
from slack_alert.engine.batches import StoredValue

T = TypeVar("T")

#: The most characters of a value: all values are held in memory, and every write is a transaction.
_MOST = 1_000_000
#: How often `update` computes a value anew because somebody else has set it meanwhile.
_ATTEMPTS = 100
#: What an encrypted value begins with; no JSON text does.
ENCRYPTED = "!"

#: Returns once what was written is durable; raises StoreError where it is not in time.
Wait = Callable[[], None]
#: Writes entries, all or none; the returned function, if any, waits until they are durable.
Write = Callable[[Sequence[StoredValue]], Wait | None]


class Owner(Protocol):
    """The process that owns the database, where that is another one."""

    def look(self) -> Iterable[StoredValue]:
        """Return all entries of all packs as they are now."""

    def swap(self, entry: StoredValue, expected: str | None) -> bool:
        """Store an entry if the key's stored text is the expected one (None: there is no value); return whether it was.

        It is durable then. Raise StoreError where it is not known in time.
        """


class Cipher(Protocol):
    """Encrypts values before they are stored."""

    def encrypt(self, text: str) -> str:
        """Return a text from which nobody learns this one without the key; raise StoreError."""

    def decrypt(self, text: str) -> str:
        """Return the text of an encrypted one; raise StoreError where the key is gone, or another one."""


class NoCipher:
    """Where nothing can be encrypted."""

    def encrypt(self, text: str) -> str:  # noqa: ARG002 - as the protocol has it
        """Raise StoreError."""
        raise StoreError("Values cannot be encrypted here.")

    decrypt = encrypt


class KeyValueStore:
    """Values by key, kept across restarts: any JSON values, with an optional expiry."""

    #: Whether what is set is held back, and written later.
    _is_held = False

    def __init__(
        self,
        pack: str,
        entries: Iterable[StoredValue],
        *,
        write: Write,
        now: Callable[[], datetime],
        write_of: Callable[[Run], Write] | None = None,
        owner: Owner | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        """`write_of` returns the `write` of a run that answers an event; None: it is the same."""
        self._pack = pack
        self._write = write
        #: Makes the last write win where several threads set a key at the same time.
        self._order = Lock()
        self._now = now
        self._write_of = write_of
        self._owner = owner
        self._cipher = cipher or NoCipher()
        self._entries = {entry.key: entry for entry in entries}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or `default` where there is none or it has expired.

        Raise StoreError for an encrypted value without its key.
        """
        self._look_again()
        entry = self._current(key)
        return default if entry is None else json.loads(self._text(entry))

    def set(self, key: str, value: object, *, expires: object = None, encrypt: bool | None = None) -> None:
        """Set a value, durable when this returns; `expires` is a duration (seconds, or `2d`).

        With `encrypt` nobody reads it in the database without the key; a value that is there stays as it is in this
        respect unless it is said. Raise TypeError where JSON cannot hold the value, ValueError where it is too large,
        and StoreError where the disk accepts no write or nothing can be encrypted.
        """
        written, lasts = _written(key, value), _lasting(expires)
        if encrypt is None:
            self._look_again()
        self._put(self._entry(key, written, lasts, encrypt))

    def compare_and_set(
        self, key: str, expected: object, value: object, *, expires: object = None, encrypt: bool | None = None
    ) -> bool:
        """Set a value where the present one equals `expected` (None: there is none); return whether it was set.

        Nothing comes between the comparison and the write, be it of a run, of a process of its own or of the command
        line. It is durable when this returns; raise as `set` does.
        """
        written, lasts = _written(key, value), _lasting(expires)
        wanted = json.loads(json.dumps(expected))
        self._look_again()
        wait = None
        with self._order:
            current = self._current(key)
            if (None if current is None else json.loads(self._text(current))) != wanted:
                return False
            entry = self._entry(key, written, lasts, encrypt)
            if self._owner is None or self._is_held:
                wait = self._accept_own(entry)
        if self._owner is not None and not self._is_held:
            return self._owner.swap(entry, None if current is None else current.value)
        if wait is not None:
            wait()
        return True

    def update(self, key: str, change: Callable[[Any], T], default: Any = None, *, expires: object = None) -> T:
        """Set a value to what `change` makes of the present one, or of `default`, and return it.

        No write of anybody else is lost: where one comes between, `change` is called again with that. Raise as `set`
        does.
        """
        for _ in range(_ATTEMPTS):
            before = self.get(key)
            changed = change(default if before is None else before)
            if self.compare_and_set(key, before, changed, expires=expires):
                return changed
        raise StoreError(f"ctx.store: {key!r} was changed {_ATTEMPTS} times by others while it was to be updated.")

    def delete(self, key: str) -> None:
        """Delete a value; a missing key is no error."""
        self._put(StoredValue(self._pack, _checked(key), None, is_same=self.stored_text(key) is None))

    def keys(self) -> list[str]:
        """Return the keys that have a value now, sorted."""
        self._look_again()
        return sorted(key for key in list(self._entries) if self._current(key) is not None)

    def entries(self) -> list[StoredValue]:
        """Return the entries that have a value now as they are stored, sorted by key."""
        return [self._entries[key] for key in self.keys()]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep everybody else from setting values meanwhile."""
        with self._order:
            yield

    def stored_text(self, key: str) -> str | None:
        """Return the value of a key as it is stored; None: there is none."""
        entry = self._current(key)
        return None if entry is None else entry.value

    def accept(self, entry: StoredValue) -> None:
        """Take over a value that another process has asked for; called while the store is `exclusive`."""
        self._entries[entry.key] = entry

    def for_run(self, run: Run) -> KeyValueStore:
        """Return the store as a run uses it: values that a sensor's run sets are written together with its events."""
        if not run.emits:
            return self if run.event is None or self._write_of is None else RuleKeyValueStore(self, self._write_of(run))
        output = output_of(run)
        own = SensorKeyValueStore(self, output)
        output.keep_values, output.drop_values = own.flush, own.drop
        return own

    def _current(self, key: str) -> StoredValue | None:
        entry = self._entries.get(key)
        if entry is None or entry.value is None or (entry.expires is not None and self._now() >= entry.expires):
            return None
        return entry

    def _entry(self, key: str, written: str, lasts: timedelta | None, encrypt: bool | None) -> StoredValue:
        if encrypt is None:
            current = self._current(key)
            encrypt = current is not None and is_encrypted(current)
        stored = ENCRYPTED + self._cipher.encrypt(written) if encrypt else written
        until = None if lasts is None else self._now() + lasts
        return StoredValue(self._pack, key, stored, until, is_same=stored == self.stored_text(key))

    def _text(self, entry: StoredValue) -> str:
        assert entry.value is not None, "it has a value"
        return self._cipher.decrypt(entry.value[len(ENCRYPTED) :]) if is_encrypted(entry) else entry.value

    def _look_again(self) -> None:
        """Read all entries again, and add those that this run has set and that are not written yet."""
        if self._owner is not None:
            found = {entry.key: entry for entry in self._owner.look() if entry.pack == self._pack}
            with self._order:
                self._entries.clear()
                self._entries.update(found)
                self._entries.update({entry.key: entry for entry in self._unwritten()})

    def _unwritten(self) -> Sequence[StoredValue]:
        return ()

    def _put(self, entry: StoredValue) -> None:
        with self._order:
            wait = self._accept_own(entry)
        if wait is not None:
            wait()

    def _accept_own(self, entry: StoredValue) -> Wait | None:
        """Take an entry over and write it; called in order."""
        self._entries[entry.key] = entry
        return self._write([entry])


class RuleKeyValueStore(KeyValueStore):
    """The store as a run that answers an event sees it: what is set is written with that event as its cause."""

    def __init__(self, shared: KeyValueStore, write: Write) -> None:
        super().__init__(shared._pack, (), write=write, now=shared._now, owner=shared._owner, cipher=shared._cipher)
        self._entries = shared._entries
        self._order = shared._order


class SensorKeyValueStore(RuleKeyValueStore):
    """The store as a sensor's run sees it: values it sets are written together with its events, and not before.

    A sensor stores how far it has read. Were that written before the events found up to there, a kill in between would
    lose them for good.
    """

    _is_held = True

    def __init__(self, shared: KeyValueStore, output: RunOutput) -> None:
        super().__init__(shared, shared._write)
        self._output = output
        self._set: list[StoredValue] = []
        #: What was there before it was set, by key; None: nothing.
        self._before: dict[str, StoredValue | None] = {}

    def _unwritten(self) -> Sequence[StoredValue]:
        return self._set

    def flush(self) -> Wait | None:
        """Write the values set since the last call, with the events that were held for them.

        Those that were set again elsewhere are left out.
        """
        with self._order:
            last = self._last()
            self._set.clear()
            self._before.clear()
            if self._output.commit is not None:
                return self._output.commit(last)
            return self._write(last) if last else None

    def drop(self) -> None:
        """Take back the values set since the last call of `flush`, but not where they were set again elsewhere."""
        with self._order:
            for entry in self._last():
                if (before := self._before[entry.key]) is None:
                    del self._entries[entry.key]
                else:
                    self._entries[entry.key] = before
            self._set.clear()
            self._before.clear()

    def _last(self) -> list[StoredValue]:
        return [entry for entry in self._set if self._entries.get(entry.key) is entry]

    def _accept_own(self, entry: StoredValue) -> Wait | None:
        self._before.setdefault(entry.key, self._entries.get(entry.key))
        self._entries[entry.key] = entry
        self._set.append(entry)
        return None


def key_value_stores(
    entries: Iterable[StoredValue],
    *,
    write: Write,
    now: Callable[[], datetime],
    write_of: Callable[[Run], Write] | None = None,
    owner: Owner | None = None,
    cipher: Cipher | None = None,
) -> Callable[[str], KeyValueStore]:
    """Return a function from a pack to its store, always the same."""
    stores: dict[str, KeyValueStore] = {}

    def store_of(pack: str) -> KeyValueStore:
        if pack not in stores:
            own = [entry for entry in entries if entry.pack == pack]
            made = KeyValueStore(pack, own, write=write, now=now, write_of=write_of, owner=owner, cipher=cipher)
            # Two first runs may meet here; the store that was set first counts.
            stores.setdefault(pack, made)
        return stores[pack]

    return store_of


def is_encrypted(entry: StoredValue) -> bool:
    """Return whether the value of an entry is encrypted."""
    return entry.value is not None and entry.value.startswith(ENCRYPTED)


def _written(key: object, value: object) -> str:
    """Return the JSON text of a value; raise TypeError or ValueError where it cannot be kept under this key."""
    _checked(key)
    written = json.dumps(value)
    if len(written) > _MOST:
        raise ValueError(
            f"ctx.store keeps values of {_MOST:,} characters at most, and that of {key!r} has {len(written):,}: "
            "keep it in a file, and its name here"
        )
    return written


def _lasting(expires: object) -> timedelta | None:
    return None if expires is None else parse_duration(expires)


def _checked(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of ctx.store must be a string, got {key!r}")
    return key
