"""Queries of the record of what people asked for, on an open SQLite connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from sqlite3 import Connection

from slack_alert.core.model.audit import AuditAnchor, ChainedEntry
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.audit import anchor_of, audit_of
from slack_alert.stores.sql.rows import Row, clean, micros

_PAGE = 500
_BEGINNING, _END = -(2**63), 2**63 - 1


def newest(
    connection: Connection, *, since: datetime | None, limit: int | None, by: str | None, command: str | None
) -> Iterator[ChainedEntry]:
    """Yield the newest entries, oldest first."""
    earliest = _BEGINNING if since is None else micros(since)
    who, words = clean(by or ""), clean(command or "")
    chosen = (earliest, who, who, who, words, words, words, words)
    found = _backwards(connection, chosen, _END if limit is None else max(0, limit))
    yield from map(audit_of, reversed(found))


def chain(connection: Connection) -> tuple[AuditAnchor | None, Iterator[ChainedEntry]]:
    """Return where the chain begins, and all entries, both of one moment; a program beside it may prune meanwhile."""
    connection.execute("BEGIN")
    anchor = connection.execute(statements.ANCHOR).fetchone()
    return None if anchor is None else anchor_of(anchor), _all(connection)


def _backwards(connection: Connection, chosen: Row, most: int) -> list[Row]:
    found: list[Row] = []
    before = _END
    while len(found) < most:
        wanted = min(_PAGE, most - len(found))
        rows = connection.execute(statements.AUDIT_NEWEST, (before, *chosen, wanted)).fetchall()
        found += rows
        if len(rows) < wanted:
            break
        before = rows[-1][0]
    return found


def _all(connection: Connection) -> Iterator[ChainedEntry]:
    try:
        after = _BEGINNING
        while rows := connection.execute(statements.AUDIT_PAGE, (after, _PAGE)).fetchall():
            yield from map(audit_of, rows)
            after = rows[-1][0]
    finally:
        connection.rollback()  # Nothing was written.
