"""What several contract suites open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.store_kit import Kit


@pytest.fixture(params=["memory", "sqlite"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    """Yield a store of each kind."""
    kit = Kit(tmp_path / "state.db" if request.param == "sqlite" else None)
    yield kit
    kit.close()
