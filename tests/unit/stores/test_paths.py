"""Paths beside a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.settings import sqlite_path
from slack_alert.stores import lock_path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:///.slack_alert/state.db", ".slack_alert/state.db"),
        ("sqlite:////abs/state.db", "/abs/state.db"),
        ("sqlite:///a b?c#d%20.db", "a b?c#d%20.db"),
    ],
)
def test_a_url_names_a_file(url: str, expected: str) -> None:
    assert sqlite_path(url) == Path(expected)


@pytest.mark.parametrize(
    "url",
    ["", "state.db", "/abs/state.db", "sqlite:", "sqlite://", "sqlite:///", "sqlite://host/x", "sqlite:///:memory:"],
)
def test_what_names_no_file_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(SettingsError, match=r"sqlite:///relative/state\.db or sqlite:////absolute/state\.db"):
        sqlite_path(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql"])
def test_another_database_is_refused_without_telling_its_password(scheme: str) -> None:
    with pytest.raises(SettingsError, match=f"{scheme.partition('+')[0]}.*sqlite only") as refusal:
        sqlite_path(f"{scheme}://user:hunter2@host/db")

    assert "hunter2" not in str(refusal.value)


def test_the_lock_lies_beside_the_database() -> None:
    assert lock_path(Path("a/state.db")) == Path("a/state.db.lock")
