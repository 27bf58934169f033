"""The pytest plugin: the fixtures `slack_alert` and `chat`. It imports nothing of the program until a test uses one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from slack_alert.testing import Rehearsal
    from slack_alert.testing.chat_rehearsal import ChatRehearsal


@pytest.fixture
def slack_alert(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """Load a plugin file, let time pass and see what is said.

    Paths are looked for in the current folder and in pytest's root. See `slack_alert.testing.Rehearsal`.
    """
    from slack_alert.testing import Rehearsal

    with closing(Rehearsal((Path.cwd(), request.config.rootpath))) as rehearsal:
        yield rehearsal


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> Iterator[ChatRehearsal]:
    """Load plugins with commands, let people write to them and see what they are answered.

    Paths are looked for as `slack_alert` does. See `slack_alert.testing.chat_rehearsal.ChatRehearsal`.
    """
    from slack_alert.testing.chat_rehearsal import ChatRehearsal

    with closing(ChatRehearsal((Path.cwd(), request.config.rootpath))) as rehearsal:
        yield rehearsal
