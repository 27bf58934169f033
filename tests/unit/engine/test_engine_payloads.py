"""An event whose pack declares its payload, and whose payload is another."""

from __future__ import annotations

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.core.events import Emitted
from slack_alert.core.model.request import Emit, Request
from slack_alert.core.pack import EventSchema, Manifest, Pack, PayloadField, parse_type
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import ERRORS, Rig, at, make_job, make_rule

CHANGED = EventSchema("changed", (PayloadField("path", parse_type("path"), is_required=True),))
PACK = Pack(Manifest("files", events={"changed": CHANGED}), "packs/files", "/packs/files")


@pytest.fixture
def rig() -> Rig:
    jobs = (replace(make_job("files.watch"), emits=("files.changed",)), make_rule("db.react", on="files.*"))
    rig = Rig(*jobs)
    rig.engine.catalog = Catalog(jobs, packs=(PACK,))
    return rig


def test_it_is_no_event_and_is_told_once_a_day_where_the_sensor_tells_its_errors(rig: Rig) -> None:
    rig.due("16 09:10", name="files.watch")
    (watch,) = rig.executor.runs
    for _ in range(3):
        rig.engine.emit(watch, {"path": 7})

    assert rig.executor.runs == [watch]
    told = {message.key: message for message in rig.recorder.messages}.values()
    assert [message.to for message in told] == [ERRORS]
    assert "SA405 files.changed is refused: path must be path, got 7" in rig.texts[0]


def test_the_others_of_the_same_run_are_events(rig: Rig) -> None:
    rig.due("16 09:10", name="files.watch")
    (watch,) = rig.executor.runs
    for value in ({"path": 7}, {"path": "/a", "more": 1}, {}):
        rig.engine.emit(watch, value)

    assert [run.event for run in rig.executor.runs if run.binding == "db.react"] == [{"path": "/a", "more": 1}]


def test_what_comes_from_outside_is_held_to_it_too(rig: Rig) -> None:
    rig.engine.handle(replace(Request.of(Emit("files.changed", {}), at("16 09:01")), id=7))

    assert rig.executor.runs == []


@pytest.mark.parametrize("name", ["files.other", "files", "other.changed"])
def test_events_that_no_pack_declares_have_any_payload(rig: Rig, name: str) -> None:
    rig.engine.catalog = Catalog((make_rule("db.react", on="*"),), packs=(PACK,))
    rig.engine.handle(Emitted(name, at("16 09:01"), {}))
    assert [run.binding for run in rig.executor.runs] == ["db.react"]
