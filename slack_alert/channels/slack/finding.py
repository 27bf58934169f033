"""The result of a check of Slack."""

from __future__ import annotations

from typing import Literal

from slack_alert.core.structs import Struct

Level = Literal["ok", "warning", "error"]


class SlackFinding(Struct, frozen=True):
    """The result of a check."""

    level: Level
    what: str
    #: What to do about it; empty where all is well.
    action: str = ""
