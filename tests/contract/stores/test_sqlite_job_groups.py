"""Lines of history that several jobs share are one row each, and the group of jobs is stored once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.engine.batches import HistoryLimits
from slack_alert.stores.sql import job_groups
from tests.contract.store_kit import Kit, T
from tests.contract.stores.test_store_shared import shared

JOBS = tuple(f"db.job_{number}" for number in range(100))


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path / "state.db")
    yield kit
    kit.close()


def counted(kit: Kit) -> tuple[int, int]:
    """Return the numbers of rows of history and of groups."""
    assert kit.path is not None
    with closing(sqlite3.connect(kit.path)) as connection:
        rows, known = connection.execute(
            "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM circle)"
        ).fetchone()
    return rows, known


def test_it_is_one_row_however_many_jobs_share_it(kit: Kit) -> None:
    for second in range(1, 5, 2):
        kit.record(shared(second, second + 1, *JOBS))
    kit.record(shared(7, 8, *JOBS[1:]))

    assert counted(kit) == (3, 2)
    assert len(kit.records()) == 299


def test_group_is_deleted_with_its_last_row(kit: Kit) -> None:
    day = timedelta(days=1)
    kit.record(shared(1, 2, *JOBS), shared(24 * 3600, 24 * 3600 + 1, *JOBS[1:]))
    kit.store.prune(T + day, HistoryLimits(days=1))
    assert counted(kit) == (2, 2)

    kit.store.prune(T + 1.5 * day, HistoryLimits(days=1))
    assert counted(kit) == (1, 1)
    kit.record(shared(24 * 3600 + 2, 24 * 3600 + 3, *JOBS))
    assert counted(kit) == (2, 2)
    assert len(kit.records()) == 199


def test_more_groups_than_are_cached_are_stored_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_groups, "_CACHE_SIZE", 1)
    for second in (1, 3, 5):
        kit.record(shared(second, second, *JOBS), shared(second + 1, second + 1, *JOBS[1:]))

    assert counted(kit) == (6, 6)
    assert len(list(kit.reader.history(job=JOBS[1], since=None, limit=None))) == 6
