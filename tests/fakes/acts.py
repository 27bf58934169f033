"""Runs that return what the test says for each slot, and the history they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model import QUIET, Result, Run
from slack_alert.core.replay import Past, loudest
from slack_alert.engine.simulation import Simulation, VirtualClock
from tests.fakes.engine_rig import MARK, failed, said


class Acts:
    """An executor under which each run returns the text of its slot: empty is quiet, `!` a failure."""

    def __init__(self, texts: Mapping[datetime, str]) -> None:
        self._texts = texts

    def submit(self, runs: Sequence[Run], done: Callable[[Run, Result], None]) -> None:
        for run in runs:
            text = self._texts.get(run.slot, "")
            done(run, failed() if text == "!" else said(text) if text else QUIET)

    def stop(self) -> None:
        pass


def lived(
    job: Job,
    texts: Mapping[datetime, str],
    since: datetime,
    until: datetime,
    *,
    mute: Callable[[str, datetime], str] = lambda _job, _slot: "",
) -> list[Past]:
    """Let a job run for a while; give its history, with how loud each line was."""
    clock = VirtualClock(since)
    simulation = Simulation(Catalog((job,)), clock, Acts(texts), mark=MARK, mute=mute)
    simulation.run_until(until)
    messages = simulation.ledger.messages
    return [
        Past(
            record, loudest(message.manner for message in messages if message.run == record.run) if record.run else None
        )
        for record in simulation.ledger.take()
    ]
