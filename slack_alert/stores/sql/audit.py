"""Append the record of what people asked for, chained, and prune its beginning, in any SQL database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert.core.commands.audit_chain import chained, compact_json, head_of, keepable, newest, sealed_anchor
from slack_alert.core.model.audit import AuditAnchor, AuditEntry, AuditHead, ChainedEntry
from slack_alert.core.structs import Unreadable, from_plain
from slack_alert.engine.ports import AuditKey
from slack_alert.stores.folding import HOUR
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import Row, micros, moment

if TYPE_CHECKING:
    from sqlite3 import Connection

#: Rows that are pruned at a time.
_ROWS = 5_000
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = moment(0)


class AuditWriter:
    """Appends entries; the caller's transaction holds what is written."""

    def __init__(self, key: AuditKey) -> None:
        self._key = key
        #: The last entry; it is looked for at the first use, and after a commit that failed.
        self._last: AuditHead | None = None
        self._is_known = False

    def add(self, connection: Connection, entries: Iterable[AuditEntry]) -> None:
        """Insert entries."""
        if not self._is_known:
            # Where the database was put back or cut off, the chain goes on behind the gap, which stays visible.
            self._last, self._is_known = newest(self._key.head(), _last(connection)), True
        key, rows = self._key.key(is_first=self._last is None), []
        for entry in entries:
            number = self._last.id + 1 if self._last is not None else 1
            one = chained(key, self._last, number, keepable(entry))
            self._last = head_of(one)
            rows.append(audit_row(one))
        connection.executemany(statements.ADD_AUDIT, rows)

    def keep_head(self) -> None:
        """Keep the last entry outside of the database, after the commit."""
        if self._last is not None:
            self._key.keep(self._last)

    def catch_up(self, connection: Connection) -> None:
        """Keep the last entry where a kill came between the commit and that."""
        last, kept = _last(connection), self._key.head()
        if last is not None and (kept is None or last.id > kept.id):
            self._key.keep(last)

    def forget(self) -> None:
        """Forget the last entry, as a commit failed."""
        self._is_known = False

    def prune(self, connection: Connection, now: datetime, days: int) -> None:
        """Delete the oldest entries, up to the first one that is not older than so many days, a bounded number of them.

        What remains can be verified: where the chain begins now is kept.
        """
        oldest = connection.execute(statements.FIRST_AUDIT).fetchone()
        if oldest is None:
            return
        cutoff = micros(now) - days * 24 * HOUR
        kept = connection.execute(statements.FIRST_AUDIT_SINCE, (cutoff,)).fetchone()
        end = min(kept[0] - 1 if kept is not None else oldest[0] + _ROWS, oldest[0] + _ROWS)
        last = connection.execute(statements.AUDIT_HEAD_UP_TO, (end,)).fetchone()
        if last is None:
            return
        number, digest, at = last
        anchor = sealed_anchor(self._key.key(is_first=False), number, digest, moment(at))
        connection.execute(statements.PRUNE_AUDIT, (number,))
        connection.execute(statements.DROP_ANCHOR)
        connection.execute(statements.PUT_ANCHOR, (anchor.id, anchor.hash, at, anchor.seal))


def audit_row(one: ChainedEntry) -> Row:
    """Return the row of an entry, which is as a database keeps it."""
    entry = one.entry
    assert entry is not None, "it is written"
    return (
        one.id, micros(entry.at), entry.by, entry.name, entry.chat, entry.channel, entry.door, entry.session, entry.ip,
        entry.command, compact_json(entry.params), entry.verdict.value, entry.reason, entry.run,
        None if entry.duration is None else entry.duration // _MICROSECOND, one.hash,
    )  # fmt: skip


def audit_of(row: Row) -> ChainedEntry:
    """Return the entry in a row; None for an entry that somebody made unreadable."""
    number, at, *texts, command, params, verdict, reason, run, duration, digest = row
    by, name, chat, channel, door, session, ip = texts
    try:
        fields = {
            "at": moment(at), "by": by, "name": name, "chat": chat, "channel": channel, "door": door,
            "session": session, "ip": ip, "command": command, "params": json.loads(params), "verdict": verdict,
            "reason": reason, "run": run,
            "duration": None if duration is None else duration * _MICROSECOND,
        }  # fmt: skip
        entry = from_plain(fields, AuditEntry)
    except (Unreadable, ValueError, TypeError, OverflowError, RecursionError):
        return ChainedEntry(number, None, str(digest))
    return ChainedEntry(number, entry, str(digest))


def anchor_of(row: Row) -> AuditAnchor:
    """Return the anchor in a row; what somebody made unreadable is one that nobody sealed."""
    number, digest, at, seal = row
    try:
        return AuditAnchor(int(number), str(digest), moment(at), str(seal))
    except (TypeError, ValueError, OverflowError):
        return AuditAnchor(0, "", _EPOCH, "")


def _last(connection: Connection) -> AuditHead | None:
    """Return the last entry that is stored, or the last one that was pruned."""
    row = connection.execute(statements.LAST_AUDIT).fetchone()
    if row is not None:
        return head_of(audit_of(row))
    anchor = connection.execute(statements.ANCHOR).fetchone()
    return None if anchor is None else AuditHead(anchor[0], str(anchor[1]))
