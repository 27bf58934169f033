"""No other process writes to the database of a running program, or blocks it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.engine.batches import Batch, HistoryLimits
from slack_alert.stores import SqliteReader, SqliteStore

AT = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)


def said(key: str) -> Batch:
    return Batch(messages=[Message(key, Address("slack", "#ops"), Text("hi"))], at=AT)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(database: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(database)
    made.open()
    made.commit(said("first"))
    yield made
    made.close()


def others(database: Path) -> sqlite3.Connection:
    """Open the database as an editor of databases does."""
    return sqlite3.connect(database, timeout=0, isolation_level=None)


@pytest.mark.parametrize("batch", [said("second"), Batch(pulse="{}", at=AT)], ids=["durable", "quick"])
def test_others_read_and_may_not_begin_to_write(batch: Batch, store: SqliteStore, database: Path) -> None:
    store.commit(batch)

    with closing(others(database)) as other:
        assert other.execute("SELECT count(*) FROM delivery").fetchone()[0] >= 1
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_pruning_keeps_the_right_to_write(store: SqliteStore, database: Path) -> None:
    store.prune(AT, HistoryLimits())

    with closing(others(database)) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")


def test_who_reads_for_long_sees_one_moment_and_holds_nobody_up(store: SqliteStore, database: Path) -> None:
    with closing(others(database)) as other:
        other.execute("BEGIN")
        before = other.execute("SELECT count(*) FROM delivery").fetchone()
        store.commit(said("second"))
        assert other.execute("SELECT count(*) FROM delivery").fetchone() == before

    with closing(SqliteReader(database)) as reader:
        assert [delivery.message.key for delivery in reader.deliveries()] == ["first", "second"]


def test_copies_can_be_made(store: SqliteStore, database: Path) -> None:
    copy = database.with_name("backup.db")
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as other:
        other.execute("VACUUM INTO ?", (str(copy),))
    store.commit(said("second"))

    with closing(SqliteReader(copy)) as reader:
        assert [delivery.message.key for delivery in reader.deliveries()] == ["first"]


@pytest.mark.slow
def test_log_is_folded_into_the_file_as_ever(store: SqliteStore, database: Path) -> None:
    for number in range(1500):
        store.commit(Batch(pulse=f"{number:>4000}", at=AT))

    log = database.with_name(f"{database.name}-wal")
    assert log.stat().st_size < 8_000_000
