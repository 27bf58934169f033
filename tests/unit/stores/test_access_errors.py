"""The error of a denied access names the access, the place and the user to ask."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.errors import NotAllowed
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.engine.batches import Batch
from slack_alert.stores import SqliteReader, SqliteStore
from slack_alert.stores.files import access_errors

AT = datetime(2026, 11, 21, tzinfo=timezone.utc)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a database at rest."""
    store = SqliteStore(tmp_path / "state" / "state.db")
    store.open()
    store.commit(Batch(messages=[Message("m", Address("console", ""), Text("hi"))], at=AT))
    store.close()
    return tmp_path / "state"


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Return a function that denies this user access to a place; for root, permissions would not count."""
    taken: dict[str, int] = {}
    may = os.access

    def access_without(path: str | Path, mode: int) -> bool:
        return may(path, mode) and not mode & taken.get(str(path), 0)

    monkeypatch.setattr(os, "access", access_without)
    return lambda path, mode: taken.update({str(path): mode})


def test_database_at_rest_is_read_by_who_may_write_nothing_beside_it(
    folder: Path, forbid: Callable[[Path, int], None]
) -> None:
    """SQLite would create two files beside it, and fails where it may not."""
    before = sorted(folder.iterdir())
    forbid(folder, os.W_OK)
    reader = SqliteReader(folder / "state.db")

    assert [delivery.message.key for delivery in reader.deliveries()] == ["m"]
    assert sorted(folder.iterdir()) == before
    reader.close()


def test_file_that_may_not_be_read_is_named_with_its_owner(
    folder: Path, forbid: Callable[[Path, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(folder / "state.db", os.R_OK)
    monkeypatch.setattr(access_errors, "user_name", lambda: "monitor")
    monkeypatch.setattr(access_errors, "owner_of", lambda _: "alerts")

    with pytest.raises(NotAllowed) as refused:
        SqliteReader(folder / "state.db").snapshot()

    assert str(refused.value) == (
        f"{folder}/state.db: this user (monitor) may not read it. Ask as alerts, to whom it belongs "
        "(sudo -u alerts slack-alert ...), or give this user that right."
    )


def test_folder_that_may_not_be_passed_is_the_one_that_is_named(
    folder: Path, forbid: Callable[[Path, int], None]
) -> None:
    forbid(folder, os.X_OK)

    assert str(access_errors.not_allowed(folder / "state.db", "read")).startswith(f"{folder}: this user")


def test_user_without_a_name_is_one_as_sudo_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987_654)

    assert access_errors.user_name() == "#987654"
