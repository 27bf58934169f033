"""List, read and change the values that functions keep in `ctx.store`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from slack_alert.core.bindings import store_name
from slack_alert.core.catalog import Catalog
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import alike
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.key_value import KeyValueStore, is_encrypted

StoreOf = Callable[[str], KeyValueStore]


class ValueLine(Struct, frozen=True):
    """A value in a store."""

    #: The pack, or the file or folder of plugins.
    pack: str
    key: str
    #: None where it is encrypted.
    value: Any
    is_encrypted: bool
    expires: datetime | None


def list_values(entries: Iterable[StoredValue], now: datetime, pack: str | None = None) -> list[ValueLine]:
    """Return the values of all stores or of one, in order; of two entries with the same key the later one counts.

    Raise BadValue where there is no such store.
    """
    present = _present(entries, now)
    if pack is not None and pack not in {entry.pack for entry in present}:
        _raise_unknown(pack, {entry.pack for entry in present})
    return [_line(entry) for entry in present if pack in (None, entry.pack)]


def find_value(entries: Iterable[StoredValue], now: datetime, key: str, pack: str | None = None) -> ValueLine:
    """Return a value; raise BadValue where there is none, or several stores have such a key."""
    lines = list_values(entries, now, pack)
    found = [line for line in lines if line.key == key]
    if not found:
        near = alike(key, [line.key for line in lines], most=1)
        where = f" in {pack}" if pack else ""
        hint = f"Did you mean {near[0]}?" if near else "`slack-alert store list` shows what there is."
        raise BadValue(f"There is no value {key!r}{where}.", hint=hint)
    if len(found) > 1:
        raise BadValue(f"{key!r} is in {', '.join(line.pack for line in found)}.", hint="Say which with --pack NAME.")
    return found[0]


def place_of(
    entries: Iterable[StoredValue], now: datetime, key: str, pack: str | None, catalog: Callable[[], Catalog]
) -> str:
    """Return the store in which a value is set; raise BadValue where it is not clear, or there is no such one.

    Without a pack it is the one that has the key, or the only one there is.
    """
    present = _present(entries, now)
    if pack is None and len(having := {entry.pack for entry in present if entry.key == key}) == 1:
        return having.pop()
    used = {entry.pack for entry in present}
    if pack in used:
        return pack
    known = sorted(used | {store_name(binding.name) for binding in catalog().bindings})
    if pack is None and len(known) == 1:
        return known[0]
    if pack is None:
        raise BadValue(f"It is not clear whose {key!r} is meant.", hint=f"Add --pack with one of: {', '.join(known)}.")
    if pack not in known:
        _raise_unknown(pack, known)
    return pack


def _raise_unknown(pack: str, known: Iterable[str]) -> None:
    names = sorted(known)
    near = alike(pack, names, most=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names) or 'none yet'}."
    raise BadValue(f"No pack and no plugin file {pack!r} keeps values.", hint=hint)


def _present(entries: Iterable[StoredValue], now: datetime) -> list[StoredValue]:
    last = {(entry.pack, entry.key): entry for entry in entries if not entry.pack.startswith(".")}
    return [
        entry
        for _, entry in sorted(last.items())
        if entry.value is not None and (entry.expires is None or now < entry.expires)
    ]


def _line(entry: StoredValue) -> ValueLine:
    is_secret = is_encrypted(entry)
    value = None if is_secret or entry.value is None else json.loads(entry.value)
    return ValueLine(entry.pack, entry.key, value, is_secret, entry.expires)
