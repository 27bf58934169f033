from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.errors import StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, Status
from slack_alert.engine.batches import Batch
from slack_alert.stores import SqliteStore
from slack_alert.stores.sqlite.integrity import (
    count_given_up,
    count_undelivered,
    find_damage,
    find_unwritable,
    find_write_error,
)

NOW = datetime(2026, 11, 16, tzinfo=timezone.utc)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a message of each status."""
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.open()
    messages = [Message(f"m{number}", Address("console", ""), Text("hi")) for number in range(4)]
    made = store.commit(Batch(messages=messages, at=NOW))
    ends = (Status.SENT, Status.DEAD)
    store.commit(Batch(progress=[DeliveryProgress(made[at].id, end, 1, NOW) for at, end in enumerate(ends)]))
    store.close()
    return path


def test_what_was_not_delivered_is_counted_by_status(database: Path) -> None:
    assert count_undelivered(database) == {"queued": 2, "dead": 1}


@pytest.mark.parametrize(("ago", "count"), [(1, 1), (0, 1), (-1, 0)])
def test_what_died_of_late_is_counted(ago: int, count: int, database: Path) -> None:
    assert count_given_up(database, NOW - timedelta(seconds=ago)) == count


def test_where_nothing_was_ever_written_nothing_waits_and_nothing_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "none.db"

    assert (count_undelivered(path), count_given_up(path, NOW), find_damage(path)) == ({}, 0, [])


def test_a_whole_database_has_no_faults(database: Path) -> None:
    assert find_damage(database) == []


def test_a_damaged_page_is_found(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'record_slot'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    (found,) = find_damage(database)

    assert f"age {page}" in found


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("no database " * 100)

    with pytest.raises(StoreError, match="not a database"):
        find_damage(path)


def test_a_folder_that_can_be_made_is_no_obstacle(tmp_path: Path) -> None:
    assert find_unwritable(tmp_path / "one" / "two" / "state.db") is None


def test_a_file_where_a_folder_should_be_is_the_obstacle(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("")

    assert find_unwritable(tmp_path / "one" / "two" / "state.db") == tmp_path / "one"


def test_where_nothing_more_can_be_written_the_reason_is_given(database: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        reason = find_write_error(database)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (reason, find_write_error(database)) == ("File too large", None)
