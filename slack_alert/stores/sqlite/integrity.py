"""Checks of a database for `status` and `doctor`: damage, whether it can be written, and undelivered messages."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any  # The columns have the types that the schema says.

from slack_alert.core.units.humanize import counted, plural
from slack_alert.core.units.quantities import format_duration
from slack_alert.stores.sql.rows import micros, moment
from slack_alert.stores.sqlite.connection import open_reader, translated_errors

#: A damaged file has thousands of faults; the first ones are enough.
_FAULTS = 3
#: A small file takes up no less.
_PAGE = 4096
#: Delivery to an address is stalled where a message waits for longer than this and nothing else is accepted either.
PATIENCE = timedelta(minutes=5)
_COUNTS = "SELECT status, count(*) FROM delivery WHERE status <> 'sent' GROUP BY status"
#: For each address with queued messages: since when, how many, and when a message was last accepted there.
_WAITING = """
    SELECT address, min(created), count(*), (
        SELECT max(changed) FROM delivery AS other WHERE other.status = 'sent' AND other.address = delivery.address)
    FROM delivery WHERE status = 'queued' GROUP BY address"""
_DIED = "SELECT count(*) FROM delivery WHERE status = 'dead' AND changed >= ?"


def count_undelivered(path: Path, *, is_traceless: bool = False) -> dict[str, int]:
    """Return the number of messages that were not delivered, by status."""
    return dict(_rows(path, _COUNTS, is_traceless=is_traceless))


def count_given_up(path: Path, at: datetime, *, is_traceless: bool = False) -> int:
    """Return the number of messages that were given up since `at`, and are still dead."""
    return sum(count for (count,) in _rows(path, _DIED, micros(at), is_traceless=is_traceless))


def stalled_addresses(path: Path, *, began: datetime, now: datetime, is_traceless: bool = False) -> list[str]:
    """Return a sentence for each address where messages wait and nothing was accepted for longer than PATIENCE.

    `began` is the start of the program that sends them.
    """
    found = []
    for address, created, count, accepted in _rows(path, _WAITING, is_traceless=is_traceless):
        since = max(began, moment(created), moment(accepted or 0))
        if now - since >= PATIENCE:
            shown = format_duration(timedelta(minutes=(now - since) // timedelta(minutes=1)))
            found.append(
                f"{address}: nothing accepted for {shown}, {counted(count, 'message')} {plural(count, 'waits', 'wait')}"
            )
    return found


def find_damage(path: Path, *, is_traceless: bool = False) -> list[str]:
    """Return the faults of a damaged file, without writing; empty where it is whole, or nothing was ever written."""
    told = _rows(path, f"PRAGMA quick_check({_FAULTS})", is_traceless=is_traceless)
    return [line for (said,) in told for line in said.splitlines() if line != "ok" and not line.startswith("***")]


def _rows(path: Path, statement: str, *values: object, is_traceless: bool) -> list[tuple[Any, ...]]:
    """Return what a statement finds; nothing where nothing was ever written."""
    connection = open_reader(path, is_traceless=is_traceless)
    if connection is None:
        return []
    with translated_errors(path), closing(connection):
        return connection.execute(statement, values).fetchall()


def find_unwritable(path: Path) -> Path | None:
    """Return what this user may not write: the file, its folder, or the folder that would hold that one; else None."""
    # Unlike Path.exists it does not raise where a folder may not be entered.
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):  # noqa: PTH110 - as above
        return path
    folder = next(parent for parent in path.absolute().parents if os.path.exists(parent))  # noqa: PTH110 - as above
    return None if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else folder


def find_write_error(path: Path) -> str | None:
    """Return why nothing can be written beside the file, or None; found by writing, as quotas and reserves differ."""
    if not path.exists():
        return None
    try:
        with TemporaryFile(dir=path.parent) as trial:
            trial.write(bytes(_PAGE))
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return None
