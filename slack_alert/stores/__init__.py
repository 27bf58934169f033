"""Stores: state, history and outbox in an SQLite file; `stores.memory` keeps them in memory instead."""

from __future__ import annotations

from slack_alert.stores.files.exec_marker import ExecMarker
from slack_alert.stores.files.journal import FileJournal
from slack_alert.stores.files.lock import DatabaseLock, DatabaseOwner, holder, is_held, owner
from slack_alert.stores.files.paths import inbox_path, journal_path, lock_path
from slack_alert.stores.sqlite.connection import sqlite_version
from slack_alert.stores.sqlite.inbox_file import MemoryInbox, SqliteInbox
from slack_alert.stores.sqlite.reader import SqliteReader
from slack_alert.stores.sqlite.shared_values import read_shared_values, read_taken
from slack_alert.stores.sqlite.store import SqliteStore

__all__ = [
    "DatabaseLock",
    "DatabaseOwner",
    "ExecMarker",
    "FileJournal",
    "MemoryInbox",
    "SqliteInbox",
    "SqliteReader",
    "SqliteStore",
    "holder",
    "inbox_path",
    "is_held",
    "journal_path",
    "lock_path",
    "owner",
    "read_shared_values",
    "read_taken",
    "sqlite_version",
]
