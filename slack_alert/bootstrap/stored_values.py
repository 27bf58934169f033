"""Values of `ctx.store`: who encrypts them, and how another process than the database's owner reads and sets them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from slack_alert.bootstrap.plugin_files import database
from slack_alert.core.errors import StoreError
from slack_alert.core.model.request import KeepValue, Request
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.batches import StoredValue, keep_request
from slack_alert.engine.context.key_value import Cipher, KeyValueStore, key_value_stores
from slack_alert.engine.ports import Clock
from slack_alert.engine.requests.apply import SWAPS_PACK
from slack_alert.stores import read_shared_values
from slack_alert.stores.files.value_cipher import KeyFileCipher

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def value_cipher(settings: Settings, redaction: Redaction) -> Cipher:
    """Return what encrypts values; what it has seen is redacted from then on."""
    return _RedactedCipher(KeyFileCipher(settings.store_key_file), redaction)


def foreign_values(
    settings: Settings,
    redaction: Redaction,
    clock: Clock,
    keep: Callable[[Sequence[StoredValue]], None] | None = None,
    held: Sequence[StoredValue] = (),
) -> Callable[[str], KeyValueStore]:
    """Return the stores as another process than the owner of the database sees them.

    `keep` takes what is set in the place of the owner, and `held` is what it has taken so far.
    """
    owner = _DatabaseOwner(settings, clock, held)
    return key_value_stores(
        (), write=keep or owner.write, now=clock.now, owner=owner, cipher=value_cipher(settings, redaction)
    )


class _DatabaseOwner:
    """The running program, or this process for a moment where none runs."""

    def __init__(self, settings: Settings, clock: Clock, held: Sequence[StoredValue]) -> None:
        self._settings = settings
        self._clock = clock
        self._held = held

    def look(self) -> list[StoredValue]:
        return [*read_shared_values(database(self._settings), is_traceless=self._settings.dry_run), *self._held]

    def write(self, entries: Sequence[StoredValue]) -> None:
        """Store values; the owner has done so when this returns, so that what is set later comes later."""
        self._submit([keep_request(entry, self._clock.now()) for entry in entries])

    def swap(self, entry: StoredValue, expected: str | None) -> bool:
        if self._settings.dry_run:
            return True
        mark = uuid4().hex
        asked = KeepValue(entry.pack, entry.key, entry.value, entry.expires, expected, mark)
        self._submit([Request.of(asked, self._clock.now())])
        for each in self.look():
            if (each.pack, each.key) == (SWAPS_PACK, mark) and each.value is not None:
                return json.loads(each.value) is True
        raise StoreError(
            f"It is not known yet whether {entry.key!r} is set: the running program has not taken that in time. "
            "`slack-alert status` says why."
        )

    def _submit(self, requests: Sequence[Request]) -> None:
        from slack_alert.bootstrap.oneshot.requests import submit

        submit(self._settings, *requests, is_awaited=True)


class _RedactedCipher:
    def __init__(self, cipher: Cipher, redaction: Redaction) -> None:
        self._cipher = cipher
        self._redaction = redaction

    def encrypt(self, text: str) -> str:
        self._redaction.learn(_texts(json.loads(text)))
        return self._cipher.encrypt(text)

    def decrypt(self, text: str) -> str:
        plain = self._cipher.decrypt(text)
        self._redaction.learn(_texts(json.loads(plain)))
        return plain


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _all_texts(value.values())
    elif isinstance(value, list):
        yield from _all_texts(value)


def _all_texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        yield from _texts(value)
