"""The environment for processes that plugins start, and its restoration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slack_alert.loader.modules.spawning import spawnable


@pytest.mark.parametrize("before", [None, "of another"])
def test_a_plugin_that_empties_the_environment_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    environment = {} if before is None else {"SLACKALERT_PLUGINS": before}
    monkeypatch.setattr(os, "environ", environment)
    with spawnable(tmp_path, ["deco"]):
        os.environ.clear()

    assert os.environ.get("SLACKALERT_PLUGINS") == before
