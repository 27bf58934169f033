"""The meaning of SQLite's errors: temporary ones, and values that can never be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from slack_alert.core.errors import SlackAlertError, StoreError
from slack_alert.stores.sqlite.connection import Unwritable, translated_errors


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database is locked"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("attempt to write a readonly database"),
        sqlite3.OperationalError("disk I/O error"),
        sqlite3.DatabaseError("database disk image is malformed"),
        sqlite3.DatabaseError("file is not a database"),
    ],
)
def test_what_may_pass_is_worth_another_attempt(error: sqlite3.Error) -> None:
    with pytest.raises(StoreError, match=str(error)), translated_errors(Path("state.db")):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.DataError("string or blob too big"),
        sqlite3.OperationalError("string or blob too big"),
        sqlite3.IntegrityError("NOT NULL constraint failed: record.slot"),
        sqlite3.InterfaceError("Error binding parameter 0 - probably unsupported type."),
        sqlite3.ProgrammingError("Error binding parameter 1: type 'set' is not supported"),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
    ],
)
def test_what_can_never_be_written_is_not_tried_again(error: Exception) -> None:
    with pytest.raises(Unwritable, match=f"state.db: {error}"), translated_errors(Path("state.db")):
        raise error

    assert issubclass(Unwritable, SlackAlertError)
    assert not issubclass(Unwritable, StoreError)
