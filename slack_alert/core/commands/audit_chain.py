"""The chain of the audit: each entry has a hash over the hash before and itself, which takes a secret key to make.

The hash of an entry is HMAC-SHA256, in hexadecimal, with the content of the key file (without white space around it) as
its key, over ASCII text: the hash of the entry with the number before (of the first entry: 64 zeros), a line feed, and
the canonical form of the entry. That is a JSON object of its fields and its number `id`: keys sorted, no white space,
all but ASCII escaped as JSON does, `at` in whole microseconds since 1970, `duration` in whole microseconds, floats as
Python writes them. Fields that are null, empty texts or empty objects are left out, so that a field of a later version
changes no hash of an entry without it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from math import isfinite

from slack_alert.core.model.audit import AuditAnchor, AuditEntry, AuditHead, ChainedEntry
from slack_alert.core.structs import asdict, replace

#: What stands before the first entry.
GENESIS = "0" * 64
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
#: Halves of surrogate pairs, and NUL, which no database keeps.
_SURROGATES = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")
#: Deeper values are kept as text.
_DEEPEST = 20


def chain_hash(key: bytes, previous: str, number: int, entry: AuditEntry) -> str:
    """Return the hash of an entry."""
    return _hash(key, f"{previous}\n{canonical(number, entry)}")


def canonical(number: int, entry: AuditEntry) -> str:
    """Return the canonical form of an entry with its number."""
    fields = {**asdict(entry), "id": number, "at": _micros(entry.at), "verdict": entry.verdict.value}
    if entry.duration is not None:
        fields["duration"] = entry.duration // _MICROSECOND
    return compact_json({name: value for name, value in fields.items() if value not in (None, "", {})})


def compact_json(value: object) -> str:
    """Return a value as JSON, always in the same form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def keepable(entry: AuditEntry) -> AuditEntry:
    """Return an entry as any database keeps it: text that it takes, and parameters that JSON has."""
    texts = {name: _clean(text) for name, text in asdict(entry).items() if type(text) is str and not _is_clean(text)}
    params = {_clean(str(name)): _plain(value, 0) for name, value in entry.params.items()}
    return replace(entry, **texts, at=entry.at.astimezone(timezone.utc), params=params)


def chained(key: bytes, last: AuditHead | None, number: int, entry: AuditEntry) -> ChainedEntry:
    """Return an entry that follows the last one."""
    return ChainedEntry(number, entry, chain_hash(key, last.hash if last is not None else GENESIS, number, entry))


def head_of(one: ChainedEntry) -> AuditHead:
    """Return an entry as the head of the chain."""
    return AuditHead(one.id, one.hash, one.entry.at if one.entry is not None else None)


def newest(*heads: AuditHead | None) -> AuditHead | None:
    """Return the head with the greatest number, of equal ones the first, or None."""
    known = [head for head in heads if head is not None]
    return max(known, key=lambda head: head.id) if known else None


def sealed_anchor(key: bytes, number: int, digest: str, at: datetime) -> AuditAnchor:
    """Return the place where the chain begins after pruning."""
    return AuditAnchor(number, digest, at, _hash(key, f"anchor\n{number}\n{digest}\n{_micros(at)}"))


def is_sealed(key: bytes, anchor: AuditAnchor) -> bool:
    """Return whether it was made with this key."""
    return hmac.compare_digest(sealed_anchor(key, anchor.id, anchor.hash, anchor.at).seal, anchor.seal)


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("ascii"), "sha256").hexdigest()


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _is_clean(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _clean(text: str) -> str:
    return text if type(text) is str and _is_clean(text) else str(text.translate(_SURROGATES))


def _plain(value: object, depth: int) -> object:
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {_clean(str(key)): _plain(child, depth + 1) for key, child in value.items()}
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return [_plain(child, depth + 1) for child in value]
    return _clean(str(value))
