"""What a running program does about files of its database that somebody moves, deletes or replaces."""

from __future__ import annotations

from pathlib import Path

from slack_alert.core.errors import StoreError
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Request
from slack_alert.engine.requests import build
from slack_alert.stores import DatabaseLock, FileJournal, SqliteInbox, SqliteReader, SqliteStore, inbox_path

#: So many messages are read at a time.
_PAGE = 100


class DatabaseFiles:
    """The files of a database while a program runs with it."""

    def __init__(self, path: Path, store: SqliteStore, lock: DatabaseLock, journal: FileJournal) -> None:
        self._path = path
        self._store = store
        self._lock = lock
        self._journal = journal

    def loss(self) -> str | None:
        """Return what became of them, a sentence without its end; None: all is well. A few calls to the system."""
        if (said := self._store.loss()) is not None:
            return f"the database {said} while running"
        if not self._lock.is_intact():
            return "the database's lock was moved or deleted while running"
        self._journal.restore()
        return None

    def rescue(self) -> str:
        """Save what is known, once nothing is written any more; return a sentence that says where it is."""
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
        count = self._hand_on(rescued.path)
        return said + (f" It takes over {count:,} messages that were not sent yet." if count else "")

    def _hand_on(self, kept: Path) -> int:
        """Leave what was not sent for whoever runs with the file that is there now."""
        left: list[Request] = []
        reader, after = SqliteReader(kept), 0
        try:
            while page := reader.waiting(None, after, _PAGE):
                after = page[-1].id
                left += [build.send(delivery.message, delivery.created) for delivery in page]
            SqliteInbox(inbox_path(self._path)).add(*left)
        except StoreError:
            return 0
        finally:
            reader.close()
        return len(left)
