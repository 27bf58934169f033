from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

from slack_alert.core.model import Action, Run
from slack_alert.engine.batches import Batch
from slack_alert.engine.parts import Parts
from slack_alert.engine.pulse import Pulse

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class Waiting:
    """An engine with more and more runs that wait, through which a look takes a second."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.looks = 0
        self.noted: list[Batch] = []

    def runs(self) -> list[Run]:
        self.looks += 1
        self.passed += 1.0
        action = Action("db.lag", "plugins/db.py", 1)
        return [Run(number, "db.lag", action, NOW - timedelta(minutes=1)) for number in range(self.looks)]

    @property
    def parts(self) -> Parts:
        clock: Any = SimpleNamespace(monotonic=lambda: self.passed)
        return cast("Parts", SimpleNamespace(engine=self, clock=clock, writer=SimpleNamespace(put=self.noted.append)))


def test_looking_through_the_runs_going_on_takes_a_fiftieth_of_the_time_at_most() -> None:
    waiting = Waiting()
    pulse = Pulse(waiting.parts)

    for _ in range(100):
        pulse.note_running(NOW)
        waiting.passed += 1.0

    assert waiting.looks == 3
    assert [len(batch.running or ()) for batch in waiting.noted] == [1, 2, 3]
