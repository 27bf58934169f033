"""A database that is moved, deleted, replaced or overwritten under the program that writes it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.bootstrap.lost_database import DatabaseFiles
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.engine.batches import Batch
from slack_alert.stores import (
    DatabaseLock,
    FileJournal,
    SqliteInbox,
    SqliteReader,
    SqliteStore,
    inbox_path,
    journal_path,
    lock_path,
)

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

AT = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)


def message(key: str) -> Batch:
    return Batch(messages=[Message(key, Address("slack", "#ops"), Text("hi"))], at=AT)


class Running:
    """The open store of a running program."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "state.db"
        self.store = SqliteStore(self.path)
        self.lock = DatabaseLock(self.path)
        assert self.lock.acquire(timedelta(seconds=1))
        self.journal = FileJournal(journal_path(self.path))
        self.files = DatabaseFiles(self.path, self.store, self.lock, self.journal)
        self.store.open()
        self.store.commit(message("first"))

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def backup(self) -> Path:
        """A copy made before the second message."""
        return self.folder.parent / "backup.db"

    def said(self, path: Path | None = None) -> list[str]:
        with closing(SqliteReader(path or self.path)) as reader:
            return [delivery.message.key for delivery in reader.deliveries()]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A program that has made a backup, and committed a second message since."""
    made = Running(tmp_path)
    with closing(sqlite3.connect(made.path)) as connection:
        connection.execute("VACUUM INTO ?", (str(made.backup),))
    assert made.files.loss() is None
    # Enough for the log to be folded into the file.
    for number in range(40):
        made.store.commit(message(f"more {number}"))
    with closing(sqlite3.connect(made.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    assert made.files.loss() is None
    made.store.commit(message("second"))
    yield made
    made.lock.release()


def delete_file(running: Running) -> None:
    running.path.unlink()


def delete_all_but_the_lock(running: Running) -> None:
    for path in (running.path, running.path.with_name("state.db-wal"), running.path.with_name("state.db-shm")):
        path.unlink()


def delete_folder(running: Running) -> None:
    shutil.rmtree(running.folder)


def move_file(running: Running) -> None:
    running.path.rename(running.folder.parent / "elsewhere.db")


def move_folder(running: Running) -> None:
    running.folder.rename(running.folder.parent / "elsewhere")


@pytest.mark.parametrize("harm", [delete_file, delete_all_but_the_lock, delete_folder, move_file, move_folder])
def test_what_was_known_is_put_back_where_nothing_is(harm: Callable[[Running], None], running: Running) -> None:
    expected = running.said()
    harm(running)

    assert running.files.loss() == "the database was moved or deleted while running"
    running.store.commit(message("third"))
    assert running.files.rescue() == f"All that was known is in {running.path} again."

    assert running.said() == [*expected, "third"]
    assert [path.name for path in running.folder.glob("*rescued*")] == []


def rename_over(running: Running) -> None:
    running.backup.rename(running.path)


def restore_folder(running: Running) -> None:
    running.folder.rename(running.folder.parent / "elsewhere")
    running.folder.mkdir()
    shutil.copy(running.backup, running.path)


@pytest.mark.parametrize("harm", [rename_over, restore_folder])
def test_a_file_that_was_put_in_its_place_counts_and_what_was_known_is_kept_beside(
    harm: Callable[[Running], None], running: Running
) -> None:
    expected = running.said()
    harm(running)

    assert running.files.loss() == "the database was replaced by another file while running"
    said = running.files.rescue()

    (kept,) = running.folder.glob("state.db.rescued-*")
    assert str(kept) in said
    assert running.said() == ["first"]
    assert running.said(kept) == expected
    left = [request.payload["key"] for request in SqliteInbox(inbox_path(running.path)).peek()]
    assert left == expected
    assert f"takes over {len(expected)} messages" in said


def empty(running: Running) -> None:
    running.path.write_bytes(b"")


def garbage(running: Running) -> None:
    running.path.write_bytes(b"something else entirely " * 5000)


def test_a_copy_that_was_written_over_it_is_left_as_it_is(running: Running) -> None:
    """SQLite would apply the log of the former database to it, and corrupt it."""
    shutil.copy(running.backup, running.path)
    written = running.path.read_bytes()

    assert running.files.loss() == "the database was overwritten while running"
    running.files.rescue()

    assert running.path.read_bytes() == written
    assert not running.path.with_name("state.db-wal").exists()
    assert running.said() == ["first"]


@pytest.mark.parametrize("harm", [empty, garbage])
def test_what_was_known_is_put_back_where_no_database_lies(harm: Callable[[Running], None], running: Running) -> None:
    expected = running.said()
    harm(running)

    assert running.files.loss() == "the database was overwritten while running"
    assert running.files.rescue() == f"All that was known is in {running.path} again."

    assert running.said() == expected


def test_commits_and_checkpoints_of_its_own_are_no_loss(running: Running) -> None:
    for number in range(300):
        running.store.commit(message(f"own {number}"))
        assert running.files.loss() is None
    running.store.close()


def test_lock_that_was_removed_alone_loses_nothing(running: Running) -> None:
    lock_path(running.path).unlink()

    assert running.files.loss() == "the database's lock was moved or deleted while running"
    assert running.files.rescue() == f"All that was known is in {running.path}."
    assert "second" in running.said()


def move_away(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def put_another_there(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"something else")


@pytest.mark.parametrize("harm", [Path.unlink, move_away, put_another_there])
def test_journal_that_was_removed_is_written_anew(harm: Callable[[Path], None], running: Running) -> None:
    assert running.journal.append(message("said"))
    harm(journal_path(running.path))

    assert running.files.loss() is None

    running.store.close()
    again = SqliteStore(running.path)
    again.open()
    again.close()
    assert running.said()[-1] == "said"
