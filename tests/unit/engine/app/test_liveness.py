from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slack_alert.core.model.run import Action, Run
from slack_alert.engine.app.components import Components
from slack_alert.engine.app.liveness import Liveness, stalled_since
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import ExecutorLoad

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class Waiting:
    """An engine with a growing number of waiting runs, which takes a second to list."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.looks = 0
        self.noted: list[Batch] = []

    def runs(self) -> list[Run]:
        self.looks += 1
        self.passed += 1.0
        action = Action("db.lag", "plugins/db.py", 1)
        return [Run(number, "db.lag", action, NOW - timedelta(minutes=1)) for number in range(self.looks)]

    def submit(self, batch: Batch, then: Callable[[], object]) -> None:
        self.noted.append(batch)
        then()

    @property
    def parts(self) -> Components:
        clock: Any = SimpleNamespace(monotonic=lambda: self.passed, now=lambda: NOW)
        return cast("Components", SimpleNamespace(engine=self, clock=clock, writer=self))


def test_looking_through_the_runs_going_on_takes_a_fiftieth_of_the_time_at_most() -> None:
    waiting = Waiting()
    pulse = Liveness(waiting.parts)

    for _ in range(100):
        pulse.record_running(NOW)
        waiting.passed += 1.0

    assert waiting.looks == 3
    assert [[each.run for each in batch.begun] for batch in waiting.noted] == [[0], [1], [2]]


class Program:
    """A program whose components the test sets."""

    def __init__(self) -> None:
        self.now, self.passed = NOW, 0.0
        self.still: list[str] = []
        self.sender = SimpleNamespace(troubles=[], stalls=[], queued=0)
        self.writer = SimpleNamespace(trouble=None, is_stuck=False, submit=self._write)
        self.pulses: list[dict[str, Any]] = []
        clock: Any = SimpleNamespace(monotonic=lambda: self.passed, now=lambda: self.now)
        engine = SimpleNamespace(runs=list, post=lambda call: call())
        parts = SimpleNamespace(
            clock=clock, sender=self.sender, writer=self.writer, engine=engine, load=ExecutorLoad,
            stalled_addresses=lambda _began, _now: self.still, heartbeat=None, keeps_pulse=True,
        )  # fmt: skip
        self.pulse = Liveness(cast("Components", parts))
        self.pulse.tick(self.now)
        self.pulse.turn(self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    def _write(self, batch: Batch, _: object = None) -> None:
        if batch.pulse is not None:
            self.pulses.append(json.loads(batch.pulse))


@pytest.mark.parametrize(
    "breaks",
    [
        lambda program: program.pass_by(21),
        lambda program: program.sender.troubles.append("slack"),
        lambda program: program.sender.stalls.append("slack:#ops: no answer"),
        lambda program: program.still.append("slack:#ops: nothing accepted"),
        lambda program: setattr(program.writer, "trouble", "the disk is full"),
        lambda program: setattr(program.writer, "is_stuck", True),
    ],
    ids=["no tick", "token refused", "no answer", "nothing goes out", "nothing is written", "a write hangs"],
)
def test_nothing_is_well_where_one_part_stands_still(breaks: Callable[[Program], object]) -> None:
    program = Program()
    program.pass_by(1)
    assert program.pulse.is_well(program.now) is True

    breaks(program)
    program.passed += 60
    program.pulse.turn(program.now)

    assert program.pulse.is_well(program.now) is False


def test_what_does_not_go_out_is_told_once_and_written_down(caplog: pytest.LogCaptureFixture) -> None:
    program = Program()
    program.still.append("slack:#ops: nothing accepted")
    for _ in range(3):
        program.pass_by(60)
        program.pulse.turn(program.now)
    program.pulse.tick(program.now)

    assert [record.message for record in caplog.records] == ["nothing goes out"]
    assert program.pulses[-1]["stalled"] == ["slack:#ops: nothing accepted"]


def test_loop_that_stands_still_beside_a_clock_that_ticks_is_seen() -> None:
    program = Program()
    program.pass_by(19)
    program.pulse.tick(program.now)
    assert stalled_since(program.pulses[-1]) is None

    program.pass_by(5)
    program.pulse.tick(program.now)
    assert stalled_since(program.pulses[-1]) == NOW
    assert stalled_since({"at": NOW.isoformat()}) is None
