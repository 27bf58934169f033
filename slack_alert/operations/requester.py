"""Who asks for a change, and what came of it."""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.model.request import Asked, Request
from slack_alert.core.structs import Struct
from slack_alert.engine.ports import Submit


class Requester(Struct, frozen=True):
    """A person who asks for a change, and the way to the program that makes it."""

    by: str
    at: datetime
    submit: Submit

    def ask(self, *asked: Asked) -> bool:
        """Ask for these changes, which are made together; return whether a running program takes them."""
        return self.submit(*[Request.of(each, self.at) for each in asked])


class JobChange(Struct, frozen=True):
    """A change of jobs."""

    #: The jobs that were meant.
    names: list[str]
    #: Those of them that were not as they are now.
    changed: list[str]
    #: Whether a running program takes it; else it holds at the next start.
    is_taken: bool
