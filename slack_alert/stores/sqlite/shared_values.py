"""Read the values of `ctx.store` in a process that does not own the database, pending ones included."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from slack_alert.core.errors import StoreError
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.durable_values import number_of
from slack_alert.engine.requests.apply import apply_request
from slack_alert.stores.files.journal import read_journal
from slack_alert.stores.files.paths import inbox_path, journal_path
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import maybe_moment
from slack_alert.stores.sqlite.connection import open_reader, translated_errors
from slack_alert.stores.sqlite.inbox_file import requests_in


def read_shared_values(database: Path, *, is_traceless: bool = False) -> list[StoredValue]:
    """Return the committed values and the pending ones; of two with the same key the later one comes last.

    Pending are those in the owner's journal, and those requested through the inbox.
    """
    # Read before the database, because what leaves inbox and journal is in the database by then.
    left = requests_in(inbox_path(database), "ro" if is_traceless else "rw")
    batches = _uncommitted(journal_path(database))
    taken, entries = _committed(database, is_traceless=is_traceless)
    number = number_of(entries)
    set_by_owner = [entry for batch in batches if number_of(batch.entries) > number for entry in batch.entries]
    asked_for = [request for request in left if request.kind == "keep" and request.id > taken]
    # Whether one is stored that depends on the present value only the owner knows.
    kept = [apply_request(one, lambda: 0).entries for one in asked_for if not one.payload.get("mark")]
    return [*entries, *set_by_owner, *(entry for each in kept for entry in each)]


def read_taken(database: Path) -> int:
    """Return the id of the last request whose effects are committed; 0 for none."""
    return _committed(database, is_traceless=False)[0]


def _uncommitted(path: Path) -> list[Batch]:
    """Return the batches that the owner has not committed yet; empty where this user may not read the journal."""
    with suppress(StoreError):
        return [said for said in read_journal(path, is_alive=True) if isinstance(said, Batch)]
    return []


def _committed(database: Path, *, is_traceless: bool) -> tuple[int, list[StoredValue]]:
    connection = open_reader(database, is_traceless=is_traceless)
    if connection is None:
        return 0, []
    with translated_errors(database), closing(connection):
        connection.execute("BEGIN")  # Both queries see the same moment.
        _, _, taken, _ = connection.execute(statements.BOOK).fetchone()
        rows = connection.execute(statements.ENTRIES).fetchall()
        return taken, [StoredValue(pack, key, value, maybe_moment(expires)) for pack, key, value, expires in rows]
