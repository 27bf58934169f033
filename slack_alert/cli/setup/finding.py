"""The result of a check of `slack-alert doctor`."""

from __future__ import annotations

from typing import Literal

from slack_alert.core.structs import Struct

Status = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True):
    """The result of a check."""

    check: str
    status: Status
    message: str
    #: What to do about it; empty if all is well.
    action: str = ""
