"""`ctx.store` in a process of its own: every word of it is the program's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any  # What JSON holds.

from slack_alert.core.model.run import Run
from slack_alert.core.units.quantities import parse_duration
from slack_alert.engine.context.key_value import Pocket
from slack_alert.executors.line import Line


class DistantPocket(Pocket):
    """A pocket whose values lie at the other end of the line."""

    def __init__(self, line: Line, now: Callable[[], datetime]) -> None:
        super().__init__("", (), write=lambda _: None, now=now)
        self._line = line

    def for_run(self, run: Run) -> Pocket:  # noqa: ARG002 - as the others have it
        """Return this one: the program holds back what a sensor sets."""
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """Give the value, or `default` where there is none or it has expired."""
        found = self._line.ask("get", key)
        return json.loads(found) if isinstance(found, str) else default

    def set(self, key: str, value: object, *, expires: object = None) -> None:
        """Keep a value; `expires` is a duration. Raise TypeError for what JSON cannot hold."""
        seconds = None if expires is None else parse_duration(expires).total_seconds()
        self._line.ask("set", key, json.dumps(value), seconds)

    def delete(self, key: str) -> None:
        """Forget a value; one that is not there is no error."""
        self._line.ask("delete", key)

    def keys(self) -> list[str]:
        """Give the keys that have a value now, sorted."""
        found = self._line.ask("keys")
        return list(found) if isinstance(found, list) else []
