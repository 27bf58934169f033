"""Runs that return what the test says for each slot, and the history they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.pieces import Piece
from slack_alert.core.content.render import pieces
from slack_alert.core.model.run import Result, Run
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.whatif.replay import RecordedLine, loudest
from slack_alert.engine.ports import RunHost
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.engine.simulation.simulation import Simulation
from tests.fakes.engine_rig import MARK, failed


@dataclass(frozen=True, slots=True)
class Speaks:
    """What a run says on its way, one value after the other, and what it returns."""

    values: tuple[object, ...]
    returned: object = None


class Acts:
    """An executor under which each run returns the value of its slot: `!` is a failure."""

    def __init__(self, values: Mapping[datetime, object]) -> None:
        self._values = values

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        for run in runs:
            host.done(run, self._result(run, host, self._values.get(run.slot)))

    def _result(self, run: Run, host: RunHost, value: object) -> Result:
        if isinstance(value, Speaks):
            for each in value.values:
                if said := _rendered(run, each):
                    host.say(run, said)
            value = value.returned
        return failed() if value == "!" else Result(_rendered(run, value))

    def stop(self) -> None:
        pass


def lived(
    job: Job,
    values: Mapping[datetime, object],
    since: datetime,
    until: datetime,
    *,
    mute: MuteReason = never_muted,
) -> list[RecordedLine]:
    """Let a job run for a while; return its history, with how loud each line was."""
    clock = VirtualClock(since)
    simulation = Simulation(Catalog((job,)), clock, Acts(values), mark=MARK, mute=mute)
    simulation.run_until(until)
    messages = simulation.recorder.messages
    return [
        RecordedLine(
            record,
            loudest(each.manner for each in messages if each.origin.run == record.run) if record.run else None,
        )
        for record in simulation.recorder.drain()
    ]


def _rendered(run: Run, value: object) -> tuple[Piece, ...]:
    return pieces(value, mark=MARK, name=run.binding, doc=run.action.doc)
