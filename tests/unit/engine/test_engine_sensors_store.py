"""What a sensor has noticed, and how far it has read, are committed together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Run, output_of
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.context.key_value import key_value_stores
from tests.fakes.engine_rig import MARK, Kept, Rig, at, make_job, make_rule

SENSOR = replace(make_job("disk.watch"), emits=("disk.full",), dedup="{n}")


def written_alone(entries: Sequence[StoredValue]) -> None:
    pytest.fail(f"written without its events: {entries}")


class Sensing:
    """A run of a sensor that uses its store."""

    def __init__(self) -> None:
        self.kept = Kept()
        stores = key_value_stores((), write=written_alone, now=lambda: at("16 09:00"))
        services = ContextServices(
            mark=MARK, path=Path(), render=lambda run, value: (), address=lambda to: Address("slack", to),  # noqa: ARG005
            now=lambda: at("16 09:00"), key_value_store=stores,
        )  # fmt: skip
        self.rig = Rig(SENSOR, make_rule(), recorder=self.kept, services=services)
        self.run = Run(7, "disk.watch", SENSOR.action, at("16 09:00"), emits=SENSOR.emits)
        self.context = self.rig.engine.context(self.run)
        self.kept.batches.clear()

    @property
    def written(self) -> list[Batch]:
        return [batch for batch in self.kept.batches if batch.entries or batch.accepted]

    def keep(self) -> None:
        output_of(self.run).keep_values()


def test_events_and_the_values_that_were_set_with_them_are_one_batch() -> None:
    sensing = Sensing()
    sensing.context.store.set("offset", 7)
    for n in (1, 2):
        sensing.rig.engine.emit(sensing.run, {"n": n})

    assert (sensing.written, sensing.rig.executor.runs) == ([], [])
    sensing.keep()
    (batch,) = sensing.written
    assert [one.event.fields["n"] for one in batch.accepted] == [1, 2]
    assert [(entry.key, entry.value) for entry in batch.entries] == [("offset", "7")]
    assert [run.event for run in sensing.rig.executor.runs] == [{"n": 1}]


def test_events_alone_and_values_alone_are_kept_as_well() -> None:
    sensing = Sensing()
    sensing.rig.engine.emit(sensing.run, {"n": 1})
    sensing.keep()
    sensing.context.store.set("offset", 8)
    sensing.keep()
    sensing.keep()

    assert [(len(batch.accepted), len(batch.entries)) for batch in sensing.written] == [(1, 0), (0, 1)]


def test_an_event_that_says_the_same_again_keeps_the_values() -> None:
    sensing = Sensing()
    for offset in (1, 2):
        sensing.context.store.set("offset", offset)
        sensing.rig.engine.emit(sensing.run, {"n": 1})
        sensing.keep()

    assert [(len(batch.accepted), len(batch.entries)) for batch in sensing.written] == [(1, 1), (0, 1)]
