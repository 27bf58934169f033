from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.project import PLUGIN, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """A project with one plugin file, in a home of its own, with the machine's zone in Berlin."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    home = tmp_path / "home"
    path = tmp_path / "project"
    home.mkdir()
    path.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    for name in ("XDG_CONFIG_HOME", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(path)
    made = Project(path, monkeypatch, capsys)
    made.write("plugins/db.py", PLUGIN)
    yield made
    root.handlers[:] = kept
    root.setLevel(level)
    logging.captureWarnings(capture=False)
