"""Whoever may write the inbox could ask in the name of anybody: the terminal is closed then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slack_alert.stores.files.exposure import inbox_exposure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="on Windows the mode does not say who may write")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    for name in ("state.db", "state.db.inbox"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    return folder / "state.db"


def test_what_only_its_owner_may_write_is_not_exposed(database: Path) -> None:
    database.chmod(0o666)

    assert inbox_exposure(database) == ""
    assert inbox_exposure(database.parent / "none" / "state.db") == ""


@pytest.mark.parametrize("name", ["", "state.db.inbox", "state.db.inbox-wal", "state.db.inbox-shm"])
def test_what_others_may_write_is_told_with_a_remedy(database: Path, name: str) -> None:
    path = database.parent / name if name else database.parent
    if name:
        path.touch()
    path.chmod(0o777 if not name else 0o666)

    said = f"everybody may write {path}, and could ask there in the name of anybody: the terminal is closed until"
    assert inbox_exposure(database) == f"{said} `chmod go-w {path}`."


def test_a_folder_of_all_users_needs_another_place(database: Path) -> None:
    database.parent.chmod(0o1777)

    assert inbox_exposure(database).endswith("until `database` is in a folder of your own.")
