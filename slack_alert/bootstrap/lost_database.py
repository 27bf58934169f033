"""Detect that files of the open database were moved, deleted or replaced, and rescue what they held."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from slack_alert.core.errors import StoreError
from slack_alert.core.model.request import Request, SendMessage
from slack_alert.engine.clock import SystemClock
from slack_alert.stores import DatabaseLock, FileJournal, SqliteInbox, SqliteReader, SqliteStore, inbox_path

#: The number of messages that are read at a time.
_PAGE = 100


class DatabaseFiles:
    """The files of the database that a running program uses."""

    def __init__(self, path: Path, store: SqliteStore, lock: DatabaseLock, journal: FileJournal) -> None:
        self._path = path
        self._store = store
        self._lock = lock
        self._journal = journal

    def loss(self) -> str | None:
        """Return what happened to the files, a sentence without its end, or None if they are intact.

        It costs a few system calls.
        """
        if (said := self._store.loss()) is not None:
            return f"the database {said} while running"
        if not self._lock.is_intact():
            return "the database's lock was moved or deleted while running"
        self._journal.restore()
        return None

    def rescue(self) -> str:
        """Save the data once nothing is written any more; return a sentence that says where it is."""
        if self._store.loss() is None:
            self._store.close()
            return f"All that was known is in {self._path}."
        now = SystemClock().now()
        rescued = self._store.rescue(now)
        if rescued.path is None:
            return f"Nothing of it could be read any more; {self._path} is what the next start finds."
        if rescued.is_back:
            return f"All that was known is in {self._path} again."
        said = f"All that was known is kept as {rescued.path}; the next start goes by {self._path} as it is now."
        count = self._resubmit_unsent(rescued.path)
        return said + (f" It takes over {count:,} messages that were not sent yet." if count else "")

    def _resubmit_unsent(self, kept: Path) -> int:
        """Submit the unsent messages to the program that runs with the new file; return their number."""
        left: list[Request] = []
        after = 0
        with suppress(StoreError), closing(SqliteReader(kept)) as reader:
            while page := reader.waiting(None, after, _PAGE):
                after = page[-1].id
                left += [Request.of(SendMessage.of(delivery.message), delivery.created) for delivery in page]
            SqliteInbox(inbox_path(self._path)).add(*left)
            return len(left)
        return 0
