"""A test that leaves plugins loaded is named, and no later one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from slack_alert.loader import load
from tests.fakes.plugins import DEFAULTS, write
from tests.left_behind import refuse_loaded_plugins


def test_loaded_plugins_are_refused_once_and_unloaded(tmp_path: Path) -> None:
    finders = list(sys.meta_path)
    write(tmp_path, {"a.py": "@deco(hours=1)\ndef f(): pass\n"})
    load(tmp_path, DEFAULTS)

    with pytest.raises(pytest.fail.Exception, match="plugins are still loaded"):
        refuse_loaded_plugins()

    assert sys.meta_path == finders
    refuse_loaded_plugins()
