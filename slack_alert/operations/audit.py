"""List, verify and export the record of what people asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path

from slack_alert.core.commands.audit_chain import head_of
from slack_alert.core.commands.audit_verification import Verification
from slack_alert.core.commands.audit_verification import verify as verify_chain
from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.model.audit import AuditHead, ChainedEntry
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.engine.ports import AuditReader
from slack_alert.engine.system.file_ownership import open_new


class AuditList(Struct, frozen=True):
    """The entries that were asked for, oldest first, and the numbers of those that cannot be read."""

    entries: tuple[ChainedEntry, ...]
    unreadable: tuple[int, ...] = ()


def list_audit(
    reader: AuditReader,
    *,
    since: datetime | None = None,
    limit: int | None = None,
    by: str | None = None,
    command: str | None = None,
) -> AuditList:
    """Return the newest entries; `by` is a key or a name, `command` are the words with which commands begin."""
    found = list(reader.audit(since=since, limit=limit, by=by, command=" ".join((command or "").split())))
    readable = tuple([one for one in found if one.entry is not None])
    return AuditList(readable, tuple([one.id for one in found if one.entry is None]))


def verify_audit(reader: AuditReader, key: bytes, heads: Sequence[AuditHead] = ()) -> Verification:
    """Walk along the whole chain; the heads must have been read before, as a program beside it may write."""
    anchor, entries = reader.audit_chain()
    return verify_chain(key, anchor, entries, heads)


def audit_head(reader: AuditReader) -> AuditHead | None:
    """Return the last entry as a head, to be remembered elsewhere."""
    return next((head_of(one) for one in reader.audit(since=None, limit=1)), None)


def parse_head(text: str) -> AuditHead:
    """Return the head in a text such as `412:9f86d081884c7d65`; raise BadValue for any other."""
    if (found := _HEAD.fullmatch(text.strip())) is None:
        raise BadValue(
            f"{text!r} is not the head of the audit.",
            hint=f"Write the number and at least {LEAST_DIGITS} digits of the hash, as they were posted: "
            "412:9f86d081884c7d65.",
        )
    return AuditHead(int(found["id"]), found["hash"].lower())


def export_audit(entries: Iterable[ChainedEntry], path: Path, zone: tzinfo) -> int:
    """Write entries to a file that only this user may read, a JSON line each, all or none; return their number.

    A file that is there is replaced.
    """
    if path.exists() and not path.is_file():
        raise BadValue(f"{path} is not a regular file.", hint="Write the name of a file, such as audit.jsonl.")
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        count = _write(entries, fresh, zone)
        os.replace(fresh, path)  # noqa: PTH105 - as for `os.fsync`
    except OSError as error:
        raise SlackAlertError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return count


def entry_json(one: ChainedEntry, zone: tzinfo) -> dict[str, object]:
    """Return a line of `audit --json`; instants are in the configured zone."""
    entry = one.entry
    assert entry is not None, "only what can be read is shown"
    return {
        "id": one.id,
        "at": entry.at.astimezone(zone).isoformat(),
        "by": entry.by,
        "name": entry.name,
        "chat": entry.chat,
        "channel": entry.channel,
        "door": entry.door,
        "session": entry.session,
        "ip": entry.ip,
        "command": entry.command,
        "params": dict(entry.params),
        "verdict": entry.verdict.value,
        "reason": entry.reason,
        "run": entry.run,
        "duration": entry.duration.total_seconds() if entry.duration is not None else None,
        "hash": one.hash,
    }


#: The least number of digits of a hash that says anything.
LEAST_DIGITS = 8
_HEAD = lazy_pattern(rf"(?P<id>[1-9][0-9]{{0,17}}):(?P<hash>[0-9A-Fa-f]{{{LEAST_DIGITS},64}})")


def _write(entries: Iterable[ChainedEntry], path: Path, zone: tzinfo) -> int:
    count = 0
    with os.fdopen(open_new(path, is_private=True), "w", encoding="utf-8") as file:
        for count, one in enumerate(entries, 1):  # noqa: B007 - the last one is the number of all
            # What cannot be read any more has its number and its hash.
            document = entry_json(one, zone) if one.entry is not None else {"id": one.id, "hash": one.hash}
            file.write(f"{json.dumps(document, ensure_ascii=False)}\n")
        file.flush()
        os.fsync(file.fileno())
    return count
