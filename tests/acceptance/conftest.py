from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slack_alert.loader import unload
from tests.fakes.project import PLUGIN, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """A project with one plugin file, in a home of its own, with the machine's zone in Berlin."""
    with _prepared(tmp_path, monkeypatch, capsys) as made:
        yield made


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """The same, where what is looked at is written to the descriptors themselves."""
    with _prepared(tmp_path, monkeypatch, capfd) as made:
        yield made


@contextmanager
def _prepared(path: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> Iterator[Project]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    home = path / "home"
    folder = path / "project"
    home.mkdir()
    folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    for name in ("XDG_CONFIG_HOME", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    made = Project(folder, monkeypatch, capture)
    made.write("plugins/db.py", PLUGIN)
    yield made
    unload()
    root.handlers[:] = kept
    root.setLevel(level)
    logging.captureWarnings(capture=False)
