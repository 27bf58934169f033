"""The pytest plugin: the fixture `slack_alert`. It imports nothing of the program until a test uses the fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from slack_alert.testing import Rehearsal


@pytest.fixture
def slack_alert(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """Load a plugin file, let time pass and see what is said.

    Paths are looked for in the current folder and in pytest's root. See `slack_alert.testing.Rehearsal`.
    """
    from slack_alert.testing import Rehearsal

    with closing(Rehearsal((Path.cwd(), request.config.rootpath))) as rehearsal:
        yield rehearsal
