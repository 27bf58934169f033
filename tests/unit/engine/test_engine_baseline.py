"""The first run ever of a sensor with a baseline emits nothing."""

from __future__ import annotations

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.run import QUIET
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Snapshot, StoredValue
from tests.fakes.engine_rig import Kept, Rig, failed, make_job, make_rule

ENTRY = StoredValue(".baselines", "files.watch", "true")


def sensor(*, has_baseline: bool = True) -> Job:
    return replace(make_job("files.watch"), emits=("seen",), has_baseline=has_baseline)


def test_the_first_run_only_notes_and_the_second_one_emits() -> None:
    kept = Kept()
    rig = Rig(sensor(), make_rule("ops.seen", on="seen"), recorder=kept)
    noticing(rig, "16 09:10")
    assert rig.executor.runs == []

    noticing(rig, "16 09:20")

    assert [run.event for run in rig.executor.runs] == [{"path": "/a"}]
    assert [entry for batch in kept.batches for entry in batch.entries] == [ENTRY]


def test_a_first_run_that_fails_is_followed_by_another_first_run() -> None:
    rig = Rig(sensor(), make_rule("ops.seen", on="seen"))
    rig.play("16 09:10", failed(), "files.watch")
    noticing(rig, "16 09:20")

    assert rig.executor.runs == []


def test_after_a_restart_the_first_run_is_not_the_first_one_ever() -> None:
    rig = Rig(sensor(), make_rule("ops.seen", on="seen"), snapshot=Snapshot(entries=(ENTRY,)))
    noticing(rig, "16 09:10")

    assert len(rig.executor.runs) == 1


def test_a_sensor_without_a_baseline_emits_at_once() -> None:
    rig = Rig(sensor(has_baseline=False), make_rule("ops.seen", on="seen"))
    noticing(rig, "16 09:10")

    assert len(rig.executor.runs) == 1


def test_a_sensor_that_gets_a_baseline_later_begins_with_it() -> None:
    rig = Rig(sensor(has_baseline=False), make_rule("ops.seen", on="seen"))
    rig.engine.adopt(Catalog((sensor(), make_rule("ops.seen", on="seen"))), Snapshot(), rig.clock.now())
    noticing(rig, "16 09:10")

    assert rig.executor.runs == []


def noticing(rig: Rig, time: str) -> None:
    """Let the sensor run, notice something and end."""
    rig.due(time, name="files.watch")
    run = rig.executor.runs[-1]
    rig.engine.emit(run, {"path": "/a"})
    rig.executor._kept.sort(key=lambda kept: kept[0].id != run.id)
    rig.executor.finish(QUIET)
