"""No more is imported than was, where that costs a start, or where gevent has to come first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.difference import difference
from tests.golden.imports import KEPT, imports


@pytest.mark.thorough
def test_no_more_is_imported_than_was(tmp_path: Path) -> None:
    assert difference(KEPT.read_text(encoding="utf-8"), imports(tmp_path)) == ""
